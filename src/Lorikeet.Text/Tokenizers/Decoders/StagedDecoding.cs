namespace Lorikeet.Text;

/// <summary>A run through the decoder stages of <c>tokenizer.json</c>. Numbers without a token are left out.</summary>
internal sealed class StagedDecoding : TokenDecoding
{
    private readonly Func<int, string?> _tokenOf;
    private readonly TextStage _text = new();
    private readonly DecodeStage _first;

    /// <summary>Begins a run.</summary>
    /// <param name="tokenOf">The token of a number, or null for one to leave out.</param>
    /// <param name="start">Makes the first stage of the chain that ends in the given one.</param>
    public StagedDecoding(Func<int, string?> tokenOf, Func<DecodeStage, DecodeStage> start)
    {
        _tokenOf = tokenOf;
        _first = start(_text);
    }

    public override bool IsPending => _first.IsPending;

    public override void Append(int id)
    {
        if (_tokenOf(id) is { } token)
            _first.Token(token);
    }

    public override void Finish() => _first.Finish();

    public override string Take() => _text.Take();
}
