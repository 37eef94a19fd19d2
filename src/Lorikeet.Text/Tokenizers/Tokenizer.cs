namespace Lorikeet.Text;

/// <summary>
/// Cuts text into the tokens of a model's vocabulary and puts tokens together to text, exactly as the program that the model was
/// made with. Immutable and safe to use from several threads at once.
/// </summary>
/// <example>
/// <code>
/// Tokenizer tokenizer = Tokenizer.Load("models/smollm2");
/// TokenizedText text = tokenizer.Encode("Hello, world!");
/// string back = tokenizer.Decode(text.Ids);
/// </code>
/// </example>
public sealed class Tokenizer
{
    private readonly SectionEncoder _encoder;
    private readonly Vocabulary _vocabulary;
    private readonly SpecialTokenTemplate _template;
    private readonly AddedTokenMatcher _matcher;
    private readonly Dictionary<int, AddedToken> _addedById = [];
    private readonly Dictionary<string, int> _addedByContent = new(StringComparer.Ordinal);
    private readonly HashSet<int> _special;
    private readonly Func<Tokenizer, bool, TokenDecoding> _decoding;

    internal Tokenizer(TokenizerParts parts)
    {
        _encoder = parts.Encoder;
        _vocabulary = parts.Encoder.Vocabulary;
        _template = parts.Template;
        _decoding = parts.Decoding;
        AddedTokens = parts.AddedTokens;
        _special = [.. parts.ControlIds, .. parts.AddedTokens.Where(t => t.Special).Select(t => t.Id)];
        foreach (AddedToken token in parts.AddedTokens)
        {
            _addedById[token.Id] = token;
            _addedByContent[token.Content] = token.Id;
        }
        _matcher = new(parts.AddedTokens.Where(t => !t.Normalized).Select(t => (t, t.Content)));
        VocabularySize = Math.Max(_vocabulary.Size, _addedById.Count == 0 ? 0 : _addedById.Keys.Max() + 1);
        BosToken = parts.BosToken;
        EosToken = parts.EosToken;
        PadToken = parts.PadToken;
        UnknownToken = parts.UnknownToken;
    }

    /// <summary>Highest token number plus one.</summary>
    public int VocabularySize { get; }

    /// <summary>Tokens that are looked for in the text before the model cuts it, in the order of the files.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; }

    /// <summary>The token that begins a sequence, as far as the files name one.</summary>
    public string? BosToken { get; }

    /// <summary>The token that ends a sequence, as far as the files name one.</summary>
    public string? EosToken { get; }

    /// <summary>The token that fills up a batch, as far as the files name one.</summary>
    public string? PadToken { get; }

    /// <summary>The token for what the vocabulary cannot spell, as far as the files name one.</summary>
    public string? UnknownToken { get; }

    /// <summary>Number of <see cref="BosToken"/>.</summary>
    public int? BosId => BosToken is null ? null : IdOf(BosToken);

    /// <summary>Number of <see cref="EosToken"/>.</summary>
    public int? EosId => EosToken is null ? null : IdOf(EosToken);

    /// <summary>Number of <see cref="PadToken"/>.</summary>
    public int? PadId => PadToken is null ? null : IdOf(PadToken);

    /// <summary>Loads a tokenizer.</summary>
    /// <param name="folderOrFile">A model's folder, or the file itself.</param>
    /// <exception cref="TokenizerException">A file is missing, broken or asks for something unknown; all problems are listed.</exception>
    public static Tokenizer Load(string folderOrFile)
    {
        ArgumentException.ThrowIfNullOrEmpty(folderOrFile);
        return TokenizerLoader.Load(folderOrFile);
    }

    /// <summary>Builds the tokenizer that a GGUF file carries.</summary>
    /// <exception cref="TokenizerException">The vocabulary is broken or asks for something unknown; all problems are listed.</exception>
    public static Tokenizer FromGguf(GgufVocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        return GgufTokenizer.Build(vocabulary);
    }

    /// <summary>Cuts a text into tokens.</summary>
    /// <param name="text">The text; half a surrogate pair counts as U+FFFD.</param>
    /// <param name="addSpecial">Put the tokens around it that the tokenizer's files prescribe, such as the begin of the sequence.</param>
    /// <exception cref="TokenizerException">A pattern of the tokenizer takes too long on this text.</exception>
    public TokenizedText Encode(string text, bool addSpecial = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        TokenBuffer tokens = EncodeText(text);
        TokenizedText result = Assemble([(tokens, 0, tokens.Count)], addSpecial);
        tokens.Return();
        return result;
    }

    /// <summary>
    /// Cuts a long text into overlapping sequences, each with the special tokens around it: as many as it takes to cover the text.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="maxLength">Most tokens of a sequence, special ones included.</param>
    /// <param name="stride">How many of its tokens a sequence repeats from the one before; at least 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The stride leaves no room for new tokens.</exception>
    public IReadOnlyList<TokenizedText> EncodeWindows(string text, int maxLength, int stride)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentOutOfRangeException.ThrowIfNegative(stride);
        int room = maxLength - _template.AddedCount(pair: false);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(room, stride, nameof(maxLength));
        TokenBuffer tokens = EncodeText(text);
        List<TokenizedText> windows = [];
        int start = 0;
        do
        {
            int count = Math.Min(room, tokens.Count - start);
            windows.Add(Assemble([(tokens, start, count)], addSpecial: true));
            if (start + count == tokens.Count)
                break;
            start += room - stride;
        }
        while (true);
        tokens.Return();
        return windows;
    }

    /// <summary>Cuts a pair of texts into one sequence, with the tokens between them that the tokenizer's files prescribe.</summary>
    /// <param name="first">The first text.</param>
    /// <param name="second">The second text; its offsets count from its own begin.</param>
    /// <param name="addSpecial">Put the special tokens around them.</param>
    public TokenizedText EncodePair(string first, string second, bool addSpecial = true) =>
        EncodePair(first, second, int.MaxValue, TruncationStrategy.LongestFirst, addSpecial);

    /// <summary>Cuts a pair of texts into one sequence of a limited length; tokens are dropped from the ends of the texts.</summary>
    /// <param name="first">The first text.</param>
    /// <param name="second">The second text; its offsets count from its own begin.</param>
    /// <param name="maxLength">Most tokens, special ones included.</param>
    /// <param name="strategy">Which text gives way.</param>
    /// <param name="addSpecial">Put the special tokens around them.</param>
    /// <exception cref="TokenizerException">The text that is to give way is too short for that.</exception>
    public TokenizedText EncodePair(string first, string second, int maxLength, TruncationStrategy strategy, bool addSpecial = true)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentOutOfRangeException.ThrowIfNegative(maxLength);
        TokenBuffer a = EncodeText(first);
        TokenBuffer b = EncodeText(second);
        int room = Math.Max(0, maxLength - (addSpecial ? _template.AddedCount(pair: true) : 0));
        (int keptOfFirst, int keptOfSecond) = Truncate(a.Count, b.Count, room, strategy);
        return Assemble([(a, 0, keptOfFirst), (b, 0, keptOfSecond)], addSpecial);
    }

    /// <summary>The token numbers of a text: <see cref="Encode"/> without offsets.</summary>
    public int[] EncodeIds(string text, bool addSpecial = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        TokenBuffer tokens = EncodeText(text);
        ReadOnlySpan<int> ids = tokens.Ids;
        int[] all = new int[ids.Length + (addSpecial ? _template.AddedCount(pair: false) : 0)];
        int at = 0;
        foreach (TemplatePart part in _template.Single)
        {
            if (part.Sequence < 0 && !addSpecial)
                continue;
            ReadOnlySpan<int> source = part.Sequence < 0 ? part.Ids : ids;
            source.CopyTo(all.AsSpan(at));
            at += source.Length;
        }
        tokens.Return();
        return all;
    }

    /// <summary>Puts tokens together to text. Numbers outside the vocabulary are left out.</summary>
    /// <param name="ids">The tokens.</param>
    /// <param name="skipSpecial">Leave special tokens out.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = false)
    {
        TokenDecoding decoding = _decoding(this, skipSpecial);
        foreach (int id in ids)
            decoding.Append(id);
        decoding.Finish();
        return decoding.Take();
    }

    /// <summary>Begins a decoding that gives out text as tokens arrive.</summary>
    /// <param name="skipSpecial">Leave special tokens out.</param>
    /// <param name="after">
    /// Tokens that the text continues. Their own text is not given out, but what follows joins it: the blank that many tokenizers leave out at the
    /// beginning of a text stays.
    /// </param>
    public TokenStream Stream(bool skipSpecial = false, ReadOnlySpan<int> after = default)
    {
        TokenDecoding decoding = _decoding(this, skipSpecial);
        foreach (int id in after)
            decoding.Append(id);
        decoding.Take();
        return new TokenStream(decoding);
    }

    /// <summary>The number of a token as the vocabulary spells it, or null.</summary>
    public int? IdOf(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        if (_addedByContent.TryGetValue(token, out int id))
            return id;
        id = _vocabulary.IdOf(token);
        return id >= 0 ? id : null;
    }

    /// <summary>A token as the vocabulary spells it; empty for a number that has none.</summary>
    public string TokenOf(int id) => _addedById.TryGetValue(id, out AddedToken? added) ? added.Content : _vocabulary.TokenOf(id) ?? "";

    /// <summary>True for tokens that <see cref="Decode"/> can leave out.</summary>
    public bool IsSpecial(int id) => _special.Contains(id);

    private TokenBuffer EncodeText(string text)
    {
        TokenBuffer tokens = TokenBuffer.Rent();
        if (_matcher.IsEmpty)
        {
            if (text.Length > 0)
                _encoder.Encode(text, 0, text.Length, tokens);
        }
        else
        {
            List<(int Start, int End, AddedToken? Token)> stretches = [];
            _matcher.Split(text, 0, text.Length, stretches);
            foreach ((int start, int end, AddedToken? token) in stretches)
            {
                if (token is null)
                {
                    _encoder.Encode(text, start, end, tokens);
                    continue;
                }
                tokens.Add(token.Id, start, end);
                if (end - start != token.Content.Length)
                    tokens.SetText(text[start..end]);
            }
        }
        if (_template.TrimOffsets)
            TrimOffsets(tokens);
        return tokens;
    }

    private static (int First, int Second) Truncate(int first, int second, int room, TruncationStrategy strategy)
    {
        int surplus = first + second - room;
        if (surplus <= 0)
            return (first, second);
        if (strategy == TruncationStrategy.LongestFirst)
        {
            int half = room / 2;
            if (Math.Min(first, second) <= half)
                return first <= second ? (first, room - first) : (room - second, second);
            // an odd token goes to the text that was longer
            return first <= second ? (half, room - half) : (room - half, half);
        }
        bool onFirst = strategy == TruncationStrategy.OnlyFirst;
        int length = onFirst ? first : second;
        if (length <= surplus)
            throw new TokenizerException(
                "truncation", $"the {(onFirst ? "first" : "second")} text has {length} tokens, but {surplus} would have to be dropped from it");
        return onFirst ? (first - surplus, second) : (first, second - surplus);
    }

    private TokenizedText Assemble((TokenBuffer Tokens, int Start, int Count)[] texts, bool addSpecial)
    {
        TemplatePart[] parts = texts.Length == 2 ? _template.Pair : _template.Single;
        int count = texts.Sum(t => t.Count) + (addSpecial ? _template.AddedCount(texts.Length == 2) : 0);
        int[] ids = new int[count];
        int[] types = new int[count];
        bool[] mask = new bool[count];
        var offsets = new (int Start, int End)[count];
        Dictionary<int, string>? spelled = null;
        int at = 0;
        foreach (TemplatePart part in parts)
        {
            if (part.Sequence < 0)
            {
                if (!addSpecial)
                    continue;
                part.Ids.CopyTo(ids, at);
                types.AsSpan(at, part.Ids.Length).Fill(part.TypeId);
                mask.AsSpan(at, part.Ids.Length).Fill(true);
                at += part.Ids.Length;
                continue;
            }
            (TokenBuffer tokens, int start, int kept) = texts[part.Sequence];
            tokens.Ids.Slice(start, kept).CopyTo(ids.AsSpan(at));
            tokens.Offsets.Slice(start, kept).CopyTo(offsets.AsSpan(at));
            types.AsSpan(at, kept).Fill(part.TypeId);
            foreach ((int index, string text) in tokens.Texts ?? [])
                if (index >= start && index < start + kept)
                    (spelled ??= [])[at + index - start] = text;
            at += kept;
        }
        return new(this, ids, offsets, types, mask, spelled);
    }

    private void TrimOffsets(TokenBuffer tokens)
    {
        Span<(int Start, int End)> offsets = tokens.Offsets;
        for (int i = 0; i < offsets.Length; i++)
        {
            string token = tokens.Texts is not null && tokens.Texts.TryGetValue(i, out string? text) ? text : TokenOf(tokens.Ids[i]);
            int leading = 0;
            while (leading < token.Length && IsSpelledBlank(token[leading]))
                leading++;
            int trailing = 0;
            while (trailing < token.Length && IsSpelledBlank(token[^(trailing + 1)]))
                trailing++;
            (int start, int end) = offsets[i];
            if (leading > 0)
            {
                if (_template.FirstBlankIsAdded && (i == 0 || start == 0))
                    leading--;
                start = Math.Min(start + leading, end);
            }
            if (trailing > 0 && end >= trailing)
                end = Math.Max(end - trailing, start);
            offsets[i] = (start, end);
        }
    }

    private static bool IsSpelledBlank(char c) => c == 'Ġ' || Characters.IsBlank(c);
}
