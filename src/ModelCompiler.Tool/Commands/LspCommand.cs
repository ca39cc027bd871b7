// cnnc lsp: what an editor starts and talks to.
using System.CommandLine;
using ModelCompiler.Tool.LanguageServer;

namespace ModelCompiler.Tool.Commands;

internal static class LspCommand
{
    public static Command Create(Session session)
    {
        // Editors add --stdio to say over what they talk; there is nothing else.
        var stdio = new Option<bool>("--stdio") { Description = "Talk over standard input and output, as always." };
        var command = new Command("lsp", "Serves an editor by the Language Server Protocol, over standard input and output.") { stdio };
        command.SetAction(_ =>
        {
            using var input = Console.OpenStandardInput();
            using var output = Console.OpenStandardOutput();
            return Server.Run(input, output, session.Errors);
        });
        return command;
    }
}
