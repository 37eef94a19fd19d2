namespace Lorikeet.Formats;

/// <summary>How JSON is laid out on disk. Separators and numbers are always Python's.</summary>
/// <param name="Indent">Spaces a level; 0 puts everything on one line.</param>
/// <param name="SortKeys">Orders the keys of every object by code point; otherwise they stay in the order they have.</param>
/// <param name="EnsureAscii">Writes characters beyond ASCII as <c>\uXXXX</c>.</param>
/// <param name="FinalNewline">Ends the file with a line feed.</param>
public sealed record JsonStyle(int Indent = 2, bool SortKeys = false, bool EnsureAscii = true, bool FinalNewline = true)
{
    /// <summary>As <c>adapter_config.json</c> is saved by PEFT: sorted, no final line feed.</summary>
    public static JsonStyle AdapterConfig { get; } = new(SortKeys: true, FinalNewline: false);

    /// <summary>As <c>config.json</c> and <c>model.safetensors.index.json</c> are saved by transformers: sorted, with a final line feed.</summary>
    public static JsonStyle ModelConfig { get; } = new(SortKeys: true);

    /// <summary>As <c>tokenizer_config.json</c> is saved by transformers: characters beyond ASCII stay readable.</summary>
    public static JsonStyle TokenizerConfig { get; } = new(SortKeys: true, EnsureAscii: false);

    /// <summary>One line, for JSON lines files.</summary>
    public static JsonStyle Line { get; } = new(Indent: 0, FinalNewline: false);
}
