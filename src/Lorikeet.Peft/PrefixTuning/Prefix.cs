using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>A learned prefix on every attention of a model.</summary>
internal sealed class Prefix : AdapterPart, IAdapter<AttentionCore, AttentionInput>
{
    private readonly Model _model;
    private readonly Parameter _table;
    private readonly int _dim;
    private readonly List<AttentionCore> _places;

    /// <summary>A prefix whose table is <c>[tokens, layers · 2 · dim]</c>: for each layer keys, then values.</summary>
    public Prefix(Model model, Parameter table, int dim)
    {
        _model = model;
        _table = table;
        _dim = dim;
        _places = [.. model.Modules.OfType<AttentionCore>()];
    }

    public override void Attach()
    {
        if (_places.Any(place => place.Adapters.OfType<Prefix>().Any()))
            throw new InputException("a prefix stands before the text already, and a second one has no place: let one of the two adapters act at a time");
        _model.LearnedPrefix += _table.Value.Rows;
        foreach (AttentionCore place in _places)
            place.Attach(this);
    }

    public override void Detach()
    {
        _model.LearnedPrefix -= _table.Value.Rows;
        foreach (AttentionCore place in _places)
            place.Detach(this);
    }

    public Tensor Forward(AttentionCore place, AttentionInput input, Step step)
    {
        Tape tape = step.Tape;
        Tensor keys = tape.Columns(_table.Value, place.Layer * 2 * _dim, _dim);
        Tensor values = tape.Columns(_table.Value, (place.Layer * 2 + 1) * _dim, _dim);
        if (step.Caches is not null)
        {
            // a sequence that begins gets the prefix as its first rows; afterwards it is simply there
            foreach (KvCache cache in step.Caches)
            {
                if (cache.Length == 0)
                    cache.WritePrefix(place.Layer, keys, values);
            }
            return place.Beneath(this, input, step);
        }
        PrefixedKeys behind = step.RangeBehind(_table.Value.Rows, place.Window);
        AttentionInput joined = new(input.Query, tape.SelectRows(input.Key, keys, behind.Source), tape.SelectRows(input.Value, values, behind.Source));
        return place.Attend(joined, behind.Range, step);
    }
}
