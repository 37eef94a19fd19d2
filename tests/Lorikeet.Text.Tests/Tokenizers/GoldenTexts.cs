using System.Collections.Concurrent;
using System.Text.Json;

namespace Lorikeet.Text.Tests;

/// <summary>The texts and expected encodings of the golden set, offsets converted from code points to UTF-16 units.</summary>
internal static class GoldenTexts
{
    private static readonly Lazy<string[]> Loaded = new(() =>
        [.. JsonDocument.Parse(File.ReadAllBytes(Path("texts.json"))).RootElement.EnumerateArray().Select(t => t.GetProperty("text").GetString()!)]);

    private static readonly ConcurrentDictionary<string, Lazy<Tokenizer>> Tokenizers = new();

    public static string[] All => Loaded.Value;

    /// <summary>A file of the set: in the repository where it is small, beside it otherwise.</summary>
    public static string Path(string name)
    {
        string inside = GoldenData.Path("tokenizers", name);
        return File.Exists(inside) ? inside : GoldenData.Shared("golden-tokenizers", name);
    }

    /// <summary>A tokenizer of the set: <c>goldens/…</c> lies in the repository, anything else beside it.</summary>
    public static string TokenizerPath(string file) =>
        file.StartsWith("goldens/", StringComparison.Ordinal) ? GoldenData.Path(["tokenizers", .. file.Split('/')[1..]]) : GoldenData.Shared(file.Split('/'));

    /// <summary>A tokenizer of the set, loaded once for all tests.</summary>
    public static Tokenizer Tokenizer(string file)
    {
        string path = TokenizerPath(file);
        return Tokenizers.GetOrAdd(path, p => new Lazy<Tokenizer>(() => Text.Tokenizer.Load(p))).Value;
    }

    public static IEnumerable<GoldenRow> Rows(string file)
    {
        foreach (string line in File.ReadLines(Path(file)))
        {
            JsonElement row = JsonDocument.Parse(line).RootElement;
            string text = All[row.GetProperty("i").GetInt32()];
            string decoded = row.GetProperty("decoded").GetString()!;
            yield return new(
                text,
                Numbers(row.GetProperty("ids")),
                Offsets(text, Numbers(row.GetProperty("offsets"))),
                row.TryGetProperty("tokens", out JsonElement tokens) ? [.. tokens.EnumerateArray().Select(t => t.GetString()!)] : null,
                decoded,
                row.TryGetProperty("decoded_skip", out JsonElement skip) ? skip.GetString()! : decoded,
                row.TryGetProperty("stream", out JsonElement stream) ? [.. stream.EnumerateArray().Select(t => t.GetString())] : null);
        }
    }

    public static int[] Numbers(JsonElement list) => [.. list.EnumerateArray().Select(n => n.GetInt32())];

    public static (int Start, int End)[] Offsets(string text, int[] flat)
    {
        List<int> units = [0];
        foreach (System.Text.Rune rune in text.EnumerateRunes())
            units.Add(units[^1] + rune.Utf16SequenceLength);
        return [.. flat.Chunk(2).Select(pair => (units[pair[0]], units[pair[1]]))];
    }
}
