// cnnc format: files in the usual form.
using System.CommandLine;
using System.Text;
using ModelCompiler.Grammar;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tool.Commands;

internal static class FormatCommand
{
    public static Command Create(Session session)
    {
        var files = new Argument<string[]>("FILE") { Description = "The .cnn files.", Arity = ArgumentArity.OneOrMore };
        var check = new Option<bool>("--check") { Description = "Write nothing; name the files that would change and exit with code 1." };
        var command = new Command("format", "Puts files into the usual form; comments and the author's alignment stay.") { files, check };
        command.SetAction(parsed => Format(session, parsed.GetRequiredValue(files), parsed.GetValue(check)));
        return command;
    }

    private static int Format(Session session, string[] paths, bool check)
    {
        var (failed, changed) = (false, false);
        foreach (var file in paths.Select(CnnFiles.Read).ToList())
        {
            if (CnnFormatter.Format(file) is not { } formatted)
            {
                failed = true;
                foreach (var diagnostic in CnnParser.Parse(file).Diagnostics)
                {
                    session.Errors.WriteLine(diagnostic);
                }
            }
            else if (formatted != file.Text)
            {
                changed = true;
                session.Output.WriteLine(check ? $"{file.Path} would change" : $"{file.Path} formatted");
                if (!check)
                {
                    Write(file.Path, formatted);
                }
            }
        }

        return failed || (check && changed) ? Program.Diagnostics : Program.Success;
    }

    /// <summary>A file is either as it was or wholly in its new form, whatever happens in between.</summary>
    private static void Write(string path, string text)
    {
        path = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        using var file = new AtomicFile(path);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file.Stream.SafeFileHandle, File.GetUnixFileMode(path));
        }

        file.Stream.Write(Encoding.UTF8.GetBytes(text));
        file.Commit();
    }
}
