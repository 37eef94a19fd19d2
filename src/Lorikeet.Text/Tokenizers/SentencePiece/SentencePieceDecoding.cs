using System.Runtime.InteropServices;
using System.Text;

namespace Lorikeet.Text;

/// <summary>Decodes as the SentencePiece library does; control pieces show unless special tokens are left out.</summary>
internal sealed class SentencePieceDecoding : TokenDecoding
{
    private readonly SentencePieceModel _model;
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecial;
    private readonly int[] _bytes;
    private readonly StringBuilder _text = new();
    private readonly List<byte> _pending = [];
    private bool _anyText;
    private bool _blankTaken;

    /// <summary>Begins a run.</summary>
    /// <param name="model">The model.</param>
    /// <param name="bytes">The byte that each piece stands for, or -1.</param>
    /// <param name="tokenizer">Knows added tokens and which are special.</param>
    /// <param name="skipSpecial">Leave special tokens out.</param>
    public SentencePieceDecoding(SentencePieceModel model, int[] bytes, Tokenizer tokenizer, bool skipSpecial)
    {
        _model = model;
        _bytes = bytes;
        _tokenizer = tokenizer;
        _skipSpecial = skipSpecial;
    }

    /// <summary>The byte that each piece of a model stands for, or -1.</summary>
    public static int[] BytesOf(SentencePieceModel model) =>
        [.. model.Pieces.Select(p => p.Type == PieceType.Byte && ByteFallbackStage.TryParse(p.Text, out byte value) ? value : -1)];

    public override bool IsPending => _pending.Count > 0;

    public override void Append(int id)
    {
        if ((uint)id < (uint)_bytes.Length && _bytes[id] >= 0)
        {
            _pending.Add((byte)_bytes[id]);
            ReleaseBytes(all: false);
            return;
        }
        ReleaseBytes(all: true);
        if (_skipSpecial && _tokenizer.IsSpecial(id))
            return;
        string token = _tokenizer.TokenOf(id);
        if (id == _model.UnknownId)
            token = _model.UnknownSurface;
        else if (!_tokenizer.IsSpecial(id))
            token = Unescape(token);
        Put(token);
    }

    public override void Finish() => ReleaseBytes(all: true);

    public override string Take()
    {
        if (_text.Length == 0)
            return "";
        string text = _text.ToString();
        _text.Clear();
        return text;
    }

    /// <summary>Marks back to blanks; the one that was put in front of the text goes, or all where blanks are removed.</summary>
    private string Unescape(string token)
    {
        bool atBegin = !_anyText && !_blankTaken && (_model.AddDummyPrefix || _model.RemoveExtraWhitespaces);
        if (atBegin && token.StartsWith(SentencePieceModel.Mark))
        {
            token = token[1..];
            _blankTaken = !_model.RemoveExtraWhitespaces;
        }
        return token.Replace(SentencePieceModel.Mark, ' ');
    }

    private void Put(string text)
    {
        _anyText |= text.Length > 0;
        _text.Append(text);
    }

    /// <summary>Puts out complete characters; a byte that cannot begin or continue one becomes U+FFFD.</summary>
    private void ReleaseBytes(bool all)
    {
        while (_pending.Count > 0)
        {
            ReadOnlySpan<byte> bytes = CollectionsMarshal.AsSpan(_pending);
            switch (Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed))
            {
                case System.Buffers.OperationStatus.Done:
                    Put(rune.ToString());
                    _pending.RemoveRange(0, consumed);
                    break;
                case System.Buffers.OperationStatus.NeedMoreData when !all:
                    return;
                default:
                    Put("\uFFFD");
                    _pending.RemoveAt(0);
                    break;
            }
        }
    }
}
