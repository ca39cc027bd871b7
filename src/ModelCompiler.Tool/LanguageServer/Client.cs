// The other side of the wire: answers and notifications go out whole, one at a time, whichever thread they come from.
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ModelCompiler.Tool.LanguageServer;

internal sealed class Client(Stream output)
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly object gate = new();

    public void Notify(string method, JsonNode parameters) => Send(new JsonObject { ["method"] = method, ["params"] = parameters });

    public void Answer(JsonNode? id, JsonNode? result) => Send(new JsonObject { ["id"] = id, ["result"] = result });

    public void Refuse(JsonNode? id, int code, string message) =>
        Send(new JsonObject { ["id"] = id, ["error"] = new JsonObject { ["code"] = code, ["message"] = message } });

    private void Send(JsonObject message)
    {
        message.Insert(0, "jsonrpc", "2.0");
        var body = Encoding.UTF8.GetBytes(message.ToJsonString(Plain));
        var header = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n\r\n"));
        lock (gate)
        {
            try
            {
                output.Write(header);
                output.Write(body);
                output.Flush();
            }
            catch (IOException)
            {
                // The client is gone; the end of the input will say so too.
            }
        }
    }
}
