using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>
/// Everything a run trains on (or evaluates on), as tokens. An item is what counts as one row of a batch: one sequence, or the sequences of one
/// pack, which do not see each other.
/// </summary>
public sealed class ExampleSet
{
    private readonly TrainingExample[][] _items;
    private readonly int[] _lengths;

    private ExampleSet(TrainingExample[][] items)
    {
        _items = items;
        _lengths = [.. items.Select(item => item.Sum(sequence => sequence.Length))];
        Tokens = _lengths.Sum(length => (long)length);
        TargetTokens = items.Sum(item => item.Sum(sequence => (long)sequence.Targets));
        Fingerprint = Digest(items);
    }

    /// <summary>How many items.</summary>
    public int Count => _items.Length;

    /// <summary>Tokens of all items.</summary>
    public long Tokens { get; }

    /// <summary>Tokens that count in the loss, of all items.</summary>
    public long TargetTokens { get; }

    /// <summary>A number that changes with any token or label, so that a run is not resumed on other data.</summary>
    public ulong Fingerprint { get; }

    /// <summary>Tokens of each item.</summary>
    public ReadOnlySpan<int> Lengths => _lengths;

    /// <summary>The sequences of an item.</summary>
    public IReadOnlyList<TrainingExample> this[int item] => _items[item];

    /// <summary>A set of sequences, put together as asked.</summary>
    /// <param name="examples">Sequences; with <see cref="Packing.Bfd"/> none longer than <paramref name="maxLength"/>.</param>
    /// <param name="packing">How.</param>
    /// <param name="maxLength">Tokens of a pack at most.</param>
    public static ExampleSet Of(IReadOnlyList<TrainingExample> examples, Packing packing, int maxLength)
    {
        ArgumentNullException.ThrowIfNull(examples);
        switch (packing)
        {
            case Packing.Bfd:
                PackSegment[] pieces = [.. examples.Select((example, row) => new PackSegment(row, 0, example.Length))];
                return new ExampleSet([.. Packer.BestFitDecreasing(pieces, maxLength)
                    .Select(pack => pack.Select(piece => examples[piece.Row]).ToArray())]);
            case Packing.Wrapped:
                int[] lengths = [.. examples.Select(example => example.Length)];
                return new ExampleSet([.. Packer.Wrapped(lengths, maxLength)
                    .Select(pack => Joined(examples, pack)).Where(pack => pack.Targets > 0).Select(pack => new[] { pack })]);
            default:
                return new ExampleSet([.. examples.Select(example => new[] { example })]);
        }
    }

    /// <summary>Tokens of the largest batch that any order of the items can make.</summary>
    public int LargestBatch(int batchSize) => checked(_lengths.OrderDescending().Take(batchSize).Sum());

    /// <summary>Sequences of the item that has most.</summary>
    internal int MostSequences => _items.Length == 0 ? 0 : _items.Max(item => item.Length);

    /// <summary>The sequences of an item, without a detour.</summary>
    internal ReadOnlySpan<TrainingExample> SequencesOf(int item) => _items[item];

    private static TrainingExample Joined(IReadOnlyList<TrainingExample> examples, IReadOnlyList<PackSegment> pack)
    {
        int tokens = pack.Sum(piece => piece.Count);
        int[] ids = new int[tokens], labels = new int[tokens];
        int at = 0;
        foreach ((int row, int start, int count) in pack)
        {
            examples[row].Ids.AsSpan(start, count).CopyTo(ids.AsSpan(at));
            examples[row].Labels.AsSpan(start, count).CopyTo(labels.AsSpan(at));
            at += count;
        }
        return new TrainingExample(ids, labels);
    }

    // with the ends of sequences and items
    private static ulong Digest(TrainingExample[][] items)
    {
        Fingerprint digest = new();
        foreach (TrainingExample[] item in items)
        {
            foreach (TrainingExample sequence in item)
            {
                for (int i = 0; i < sequence.Length; i++)
                {
                    digest.Add((uint)sequence.Ids[i]);
                    digest.Add((uint)sequence.Labels[i]);
                }
                digest.Add(0xFFFF_FFFF);
            }
            digest.Add(0xFFFF_FFFE);
        }
        return digest.Value;
    }
}
