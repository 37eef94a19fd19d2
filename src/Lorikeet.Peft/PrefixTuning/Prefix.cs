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
        int tokens = _table.Value.Rows, sequences = step.Batch.Sequences;
        Tensor source = tape.New(new Shape(step.Batch.Rows + sequences * tokens), Kernels.DType.I32);
        KeyRange range = new(tape.New(new Shape(step.Batch.Rows), Kernels.DType.I32), tape.New(new Shape(step.Batch.Rows), Kernels.DType.I32));
        int at = 0;
        for (int sequence = 0; sequence < sequences; sequence++)
        {
            int begin = at;
            for (int i = 0; i < tokens; i++)
                source.Integers[at++] = ~i;
            int end = step.Batch.Start(sequence + 1);
            for (int row = step.Batch.Start(sequence); row < end; row++)
            {
                source.Integers[at++] = row;
                range.Last.Integers[row] = row == end - 1 && step.Batch.HasUnseenEnd(sequence) ? at - 1 : at;
                range.First.Integers[row] = place.Window > 0 ? Math.Max(begin, at - place.Window) : begin;
            }
        }
        AttentionInput joined = new(input.Query, tape.SelectRows(input.Key, keys, source), tape.SelectRows(input.Value, values, source));
        return place.Attend(joined, range, step);
    }
}
