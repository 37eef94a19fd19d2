namespace Lorikeet.Text;

/// <summary>Reads <c>tokenizer.model</c>, SentencePiece's own file (the message ModelProto of its <c>sentencepiece_model.proto</c>).</summary>
internal static class SentencePieceFile
{
    private const int UnigramModel = 1;
    private const int BpeModel = 2;

    /// <summary>Reads and checks a model.</summary>
    /// <exception cref="TokenizerException">It is broken or of a kind that nobody uses with language models.</exception>
    public static SentencePieceModel Read(ReadOnlySpan<byte> bytes, string source)
    {
        ProblemList problems = new(source);
        List<SentencePiece> pieces = [];
        SentencePieceModel model = new() { Pieces = [], IsUnigram = true, BosId = 1, EosId = 2 };
        ProtobufReader reader = new(bytes, source, 0);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    pieces.Add(ReadPiece(reader.Message()));
                    break;
                case 2:
                    model = ReadTrainer(reader.Message(), model, problems);
                    break;
                case 3:
                    model = ReadNormalizer(reader.Message(), model, problems);
                    break;
                case 5:
                    if (HasCharacterMap(reader.Message()))
                        problems.Add("denormalizer_spec: text to be changed after decoding is not supported");
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        model = model with { Pieces = [.. pieces] };
        Check(model, problems);
        problems.ThrowIfAny();
        return model with { UnknownId = pieces.FindIndex(p => p.Type == PieceType.Unknown) };
    }

    /// <summary>Adds what is wrong with a vocabulary from whatever file.</summary>
    public static void Check(SentencePieceModel model, ProblemList problems)
    {
        SentencePiece[] pieces = model.Pieces;
        if (pieces.Length == 0)
        {
            problems.Add("it holds no pieces; is this a SentencePiece model?");
            return;
        }
        if (pieces.Length > Limits.LargestTokenId)
            problems.Add($"it holds {pieces.Length} pieces; at most {Limits.LargestTokenId} are read");
        for (int id = 0; id < pieces.Length; id++)
        {
            if (!Enum.IsDefined(pieces[id].Type))
                problems.Add($"pieces[{id}].type: expected 1 to 6, found {(int)pieces[id].Type}");
            if (pieces[id].Text.Length > Limits.LongestToken)
                problems.Add($"pieces[{id}].piece: {pieces[id].Text.Length} characters; at most {Limits.LongestToken} are read");
            if (!float.IsFinite(pieces[id].Score))
                problems.Add($"pieces[{id}].score: expected a finite number, found {pieces[id].Score}");
        }
        if (!pieces.Any(p => p.Type == PieceType.Unknown))
            problems.Add("no piece has the type 2 (unknown), which every model needs");
        HashSet<string> known = [.. pieces.Where(p => p.Type == PieceType.Byte).Select(p => p.Text)];
        int missing = Enumerable.Range(0, 256).Count(value => !known.Contains($"<0x{value:X2}>"));
        if (model.ByteFallback && missing > 0)
            problems.Add($"byte_fallback is set, but {missing} of the 256 pieces <0x00> to <0xFF> are missing");
    }

    private static SentencePiece ReadPiece(ProtobufReader reader)
    {
        SentencePiece piece = new("", 0, PieceType.Normal);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    piece = piece with { Text = reader.Text() };
                    break;
                case 2:
                    piece = piece with { Score = reader.Single() };
                    break;
                case 3:
                    piece = piece with { Type = (PieceType)reader.Number(1) };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return piece;
    }

    private static SentencePieceModel ReadTrainer(ProtobufReader reader, SentencePieceModel model, ProblemList problems)
    {
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 3:
                    int type = reader.Number(UnigramModel);
                    if (type is not (UnigramModel or BpeModel))
                        problems.Add($"trainer_spec.model_type: expected 1 (unigram) or 2 (bpe), found {type}");
                    model = model with { IsUnigram = type != BpeModel };
                    break;
                case 24:
                    model = model with { WhitespaceAsSuffix = reader.Flag(false) };
                    break;
                case 35:
                    model = model with { ByteFallback = reader.Flag(false) };
                    break;
                case 41:
                    model = model with { BosId = reader.Number(1) };
                    break;
                case 42:
                    model = model with { EosId = reader.Number(2) };
                    break;
                case 43:
                    model = model with { PadId = reader.Number(-1) };
                    break;
                case 44:
                    model = model with { UnknownSurface = reader.Text() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return model;
    }

    private static SentencePieceModel ReadNormalizer(ProtobufReader reader, SentencePieceModel model, ProblemList problems)
    {
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 2:
                    model = model with { CharacterMap = CharacterMap.Read(reader.Bytes(), what => problems.Add($"normalizer_spec.precompiled_charsmap: {what}")) };
                    break;
                case 3:
                    model = model with { AddDummyPrefix = reader.Flag(true) };
                    break;
                case 4:
                    model = model with { RemoveExtraWhitespaces = reader.Flag(true) };
                    break;
                case 5:
                    model = model with { EscapeWhitespaces = reader.Flag(true) };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return model;
    }

    private static bool HasCharacterMap(ProtobufReader reader)
    {
        bool found = false;
        while (reader.Next())
        {
            if (reader.Field == 2)
                found |= !reader.Bytes().IsEmpty;
            else
                reader.Skip();
        }
        return found;
    }
}
