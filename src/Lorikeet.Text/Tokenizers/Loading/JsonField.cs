using System.Text;
using System.Text.Json;

namespace Lorikeet.Text;

/// <summary>A place in a JSON file that knows its path; reading it wrongly adds a problem instead of throwing.</summary>
internal readonly struct JsonField
{
    private readonly JsonElement _element;
    private readonly ProblemList _problems;

    public JsonField(JsonElement element, string path, ProblemList problems)
    {
        _element = element;
        Path = path;
        _problems = problems;
    }

    /// <summary>Where this is, such as <c>model.merges[3]</c>.</summary>
    public string Path { get; }

    public JsonElement Element => _element;

    /// <summary>Whether there is anything: absent and null are both nothing.</summary>
    public bool Exists => _element.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    public JsonValueKind Kind => _element.ValueKind;

    /// <summary>A member of an object; does not exist where this is none.</summary>
    public JsonField this[string name]
    {
        get
        {
            string path = Path.Length == 0 ? name : $"{Path}.{name}";
            return _element.ValueKind == JsonValueKind.Object && _element.TryGetProperty(name, out JsonElement member)
                ? new(member, path, _problems)
                : new(default, path, _problems);
        }
    }

    /// <summary>The text here, or null where there is nothing.</summary>
    public string? Text()
    {
        if (!Exists)
            return null;
        if (_element.ValueKind != JsonValueKind.String)
        {
            Problem($"expected text, found {Describe()}");
            return null;
        }
        return _element.GetString();
    }

    /// <summary>The text here; its absence is a problem.</summary>
    public string RequiredText()
    {
        if (!Exists)
            Problem("is missing");
        return Text() ?? "";
    }

    /// <summary>True or false here, or a default where there is nothing.</summary>
    public bool Flag(bool whenAbsent)
    {
        if (!Exists)
            return whenAbsent;
        if (_element.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return _element.GetBoolean();
        Problem($"expected true or false, found {Describe()}");
        return whenAbsent;
    }

    /// <summary>The whole number here, or a default where there is nothing.</summary>
    public int Whole(int whenAbsent)
    {
        if (!Exists)
            return whenAbsent;
        if (_element.ValueKind == JsonValueKind.Number && _element.TryGetInt32(out int value))
            return value;
        Problem($"expected a whole number, found {Describe()}");
        return whenAbsent;
    }

    /// <summary>The token number here, not negative; its absence is a problem.</summary>
    public int RequiredId()
    {
        if (!Exists)
            Problem("is missing; expected a token number");
        int id = Whole(0);
        if (id is >= 0 and <= Limits.LargestTokenId)
            return id;
        Problem($"expected a token number from 0 to {Limits.LargestTokenId}, found {id}");
        return 0;
    }

    /// <summary>The elements of the list here; empty where there is nothing.</summary>
    public IEnumerable<JsonField> Items()
    {
        if (!Exists)
            yield break;
        if (_element.ValueKind != JsonValueKind.Array)
        {
            Problem($"expected a list, found {Describe()}");
            yield break;
        }
        int index = 0;
        foreach (JsonElement item in _element.EnumerateArray())
            yield return new(item, $"{Path}[{index++}]", _problems);
    }

    /// <summary>Whether an object is here; anything else that exists is a problem.</summary>
    public bool IsObject()
    {
        if (_element.ValueKind == JsonValueKind.Object)
            return true;
        if (Exists)
            Problem($"expected an object, found {Describe()}");
        return false;
    }

    /// <summary>Where problems of the file are gathered.</summary>
    public ProblemList Problems => _problems;

    /// <summary>Says what is wrong here.</summary>
    public void Problem(string what) => _problems.Add(Path.Length == 0 ? what : $"{Path}: {what}");

    /// <summary>What is here, in words.</summary>
    public string Describe() => _element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => $"the text {Shorten(_element.GetRawText())}",
        JsonValueKind.Number => $"the number {Shorten(_element.GetRawText())}",
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Null => "null",
        _ => "nothing",
    };

    /// <summary>Reads a JSON file.</summary>
    /// <exception cref="TokenizerException">It is absent, unreadable or no JSON.</exception>
    public static JsonDocument ReadFile(string path)
    {
        byte[] bytes = TokenizerFiles.ReadAll(path);
        return Parse(bytes, path);
    }

    /// <summary>Reads JSON in memory.</summary>
    /// <exception cref="TokenizerException">It is no JSON.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> bytes, string path)
    {
        if (bytes.Span.StartsWith(Encoding.UTF8.Preamble))
            bytes = bytes[Encoding.UTF8.Preamble.Length..];
        try
        {
            if (JsonEncodingCheck.FindBroken(bytes.Span) is { } broken)
                throw new TokenizerException(path, $"{broken}, so this is not valid JSON");
            return JsonDocument.Parse(bytes, new JsonDocumentOptions { AllowTrailingCommas = false, MaxDepth = 64 });
        }
        catch (JsonException e)
        {
            throw new TokenizerException(path, $"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}: not valid JSON ({FirstSentence(e.Message)})");
        }
    }

    private static string FirstSentence(string message)
    {
        int end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (end < 0 ? message : message[..end]).TrimEnd('.');
    }

    private static string Shorten(string raw) => raw.Length <= 60 ? raw : $"{raw.AsSpan(0, 57)}...";
}
