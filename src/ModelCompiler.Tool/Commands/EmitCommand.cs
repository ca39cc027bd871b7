// cnnc emit: the C# that a build would generate, as files to read.
using System.CommandLine;

namespace ModelCompiler.Tool.Commands;

internal static class EmitCommand
{
    public static Command Create(Session session)
    {
        var file = Arguments.File();
        var strict = Arguments.Strict();
        var folder = Arguments.Output("The folder to write to.", "DIR");
        var name = new Option<string>("--namespace") { Description = "Namespace of the classes.", DefaultValueFactory = _ => "Networks", HelpName = "NAME" };
        var command = new Command("emit", "Writes the C# of every network of the file.") { file, folder, name, strict };
        command.SetAction(parsed =>
        {
            var source = CnnFiles.Read(parsed.GetRequiredValue(file));
            var result = Compiler.Compile(source, CnnFiles.Import, new CompilerOptions(parsed.GetValue(name)!, "", Tuning: CnnFiles.Tuning(source.Path), Strict: parsed.GetValue(strict)));
            CnnFiles.Report(session.Errors, result.Diagnostics);
            var directory = Directory.CreateDirectory(parsed.GetRequiredValue(folder));
            foreach (var network in result.Networks)
            {
                var path = Path.Combine(directory.FullName, network.HintName);
                File.WriteAllText(path, network.Source);
                session.Output.WriteLine(path);
            }

            return Program.Success;
        });
        return command;
    }
}
