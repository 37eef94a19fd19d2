namespace Lorikeet.Text;

/// <summary>A text cut into tokens: parallel arrays with one entry a token.</summary>
public sealed class TokenizedText
{
    private readonly Tokenizer _tokenizer;
    private readonly Dictionary<int, string>? _texts;
    private string[]? _tokens;

    internal TokenizedText(
        Tokenizer tokenizer, int[] ids, (int Start, int End)[] offsets, int[] typeIds, bool[] added, Dictionary<int, string>? texts)
    {
        _tokenizer = tokenizer;
        _texts = texts;
        Ids = ids;
        Offsets = offsets;
        TypeIds = typeIds;
        SpecialMask = added;
    }

    /// <summary>Number of tokens.</summary>
    public int Count => Ids.Length;

    /// <summary>The number of each token in the vocabulary.</summary>
    public int[] Ids { get; }

    /// <summary>
    /// The characters of the original text that each token stands for: UTF-16 indices, end exclusive, a surrogate pair never halved.
    /// Several tokens may share one character; tokens that the tokenizer added itself have (0, 0).
    /// </summary>
    public (int Start, int End)[] Offsets { get; }

    /// <summary>0 for the first text and 1 for the second where the tokenizer tells them apart, as BERT does; otherwise all 0.</summary>
    public int[] TypeIds { get; }

    /// <summary>True for tokens that the tokenizer added itself, such as the begin of the sequence.</summary>
    public bool[] SpecialMask { get; }

    /// <summary>
    /// Each token as the vocabulary spells it (<c>Ġ</c> or <c>▁</c> for a leading blank).
    /// Unknown pieces of a Unigram model and added tokens that swallow blanks keep their text.
    /// </summary>
    public string[] Tokens
    {
        get
        {
            if (_tokens is null)
            {
                string[] tokens = new string[Ids.Length];
                for (int i = 0; i < tokens.Length; i++)
                    tokens[i] = _texts is not null && _texts.TryGetValue(i, out string? text) ? text : _tokenizer.TokenOf(Ids[i]);
                _tokens = tokens;
            }
            return _tokens;
        }
    }
}
