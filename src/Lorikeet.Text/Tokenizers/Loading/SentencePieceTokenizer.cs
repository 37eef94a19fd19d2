namespace Lorikeet.Text;

/// <summary>
/// Makes a tokenizer of a SentencePiece vocabulary. Alone it behaves as the SentencePiece library, where special tokens written in a text
/// are plain text. With the settings of a model's folder next to it, it behaves as Hugging Face's slow tokenizers, which find them.
/// </summary>
internal static class SentencePieceTokenizer
{
    /// <summary>Makes the tokenizer of a file.</summary>
    /// <exception cref="TokenizerException">The file is absent or broken.</exception>
    public static Tokenizer Load(string path, TokenizerSettings settings)
    {
        byte[] bytes = TokenizerFiles.ReadAll(path);
        SentencePieceModel model = SentencePieceFile.Read(bytes, path);
        return settings.Found ? WithSettings(model, settings) : Alone(model);
    }

    /// <summary>The vocabulary by itself. A BPE model gets a begin of the sequence, as every language model that has one expects.</summary>
    public static Tokenizer Alone(SentencePieceModel model) =>
        Make(model, [], Template(model, addBos: !model.IsUnigram, addEos: false), Named(model, model.BosId), Named(model, model.EosId), Named(model, model.PadId));

    /// <summary>The vocabulary with added tokens and a template.</summary>
    public static Tokenizer Make(
        SentencePieceModel model, IReadOnlyList<AddedToken> added, SpecialTokenTemplate template, string? bos, string? eos, string? pad)
    {
        int[] bytes = SentencePieceDecoding.BytesOf(model);
        return new(new TokenizerParts
        {
            Encoder = new SentencePieceEncoder(model),
            AddedTokens = added,
            ControlIds = [.. Enumerable.Range(0, model.Pieces.Length).Where(id => model.Pieces[id].Type == PieceType.Control)],
            Template = template,
            Decoding = (tokenizer, skipSpecial) => new SentencePieceDecoding(model, bytes, tokenizer, skipSpecial),
            BosToken = bos,
            EosToken = eos,
            PadToken = pad,
            UnknownToken = Named(model, model.UnknownId),
        });
    }

    /// <summary>What goes around a text.</summary>
    public static SpecialTokenTemplate Template(SentencePieceModel model, bool addBos, bool addEos) =>
        SpecialTokenTemplate.Around(
            addBos && model.TextOf(model.BosId) is not null ? [model.BosId] : [], addEos && model.TextOf(model.EosId) is not null ? [model.EosId] : []);

    private static Tokenizer WithSettings(SentencePieceModel model, TokenizerSettings settings)
    {
        // this kind looks for added tokens in the text as it is, whatever the files say
        List<AddedToken> added = [.. settings.AddedTokens.Select(t => t with { Normalized = false })];
        HashSet<string> known = [.. added.Select(t => t.Content)];
        for (int id = 0; id < model.Pieces.Length; id++)
        {
            (string text, _, PieceType type) = model.Pieces[id];
            bool special = type is PieceType.Control or PieceType.Unknown;
            if ((special || type == PieceType.UserDefined || settings.SpecialContents.Contains(text)) && text.Length > 0 && known.Add(text))
                added.Add(new(id, text, Special: special || settings.SpecialContents.Contains(text)));
        }
        AddUnnumbered(model, settings, added, known);
        bool isT5 = settings.TokenizerClass?.StartsWith("T5", StringComparison.Ordinal) == true;
        bool legacy = settings.Legacy ?? true;
        SentencePieceModel adjusted = model with
        {
            AddDummyPrefix = settings.AddPrefixSpace ?? model.AddDummyPrefix,
            PrefixOnlyAtStart = !legacy,
            UnknownSurface = settings.UnknownToken ?? Named(model, model.UnknownId) ?? model.UnknownSurface,
        };
        string? bos = settings.BosToken ?? Named(model, model.BosId);
        string? eos = settings.EosToken ?? Named(model, model.EosId);
        int IdOf(string? token) => token is null ? -1 : added.Find(t => t.Content == token)?.Id ?? Array.FindIndex(model.Pieces, p => p.Text == token);
        int[] before = (settings.AddBos ?? !model.IsUnigram) && IdOf(bos) is >= 0 and int bosId ? [bosId] : [];
        int[] after = (settings.AddEos ?? isT5) && IdOf(eos) is >= 0 and int eosId ? [eosId] : [];
        return Make(adjusted, added, SpecialTokenTemplate.Around(before, after), bos, eos, settings.PadToken ?? Named(model, model.PadId));
    }

    /// <summary>Special tokens that no file gives a number follow the vocabulary.</summary>
    private static void AddUnnumbered(SentencePieceModel model, TokenizerSettings settings, List<AddedToken> added, HashSet<string> known)
    {
        int next = Math.Max(model.Pieces.Length, added.Count == 0 ? 0 : added.Max(t => t.Id) + 1);
        foreach (string content in settings.SpecialContents)
        {
            if (!known.Add(content))
                continue;
            int id = Array.FindIndex(model.Pieces, p => p.Text == content);
            added.Add(new(id >= 0 ? id : next++, content));
        }
    }

    private static string? Named(SentencePieceModel model, int id) => model.TextOf(id);
}
