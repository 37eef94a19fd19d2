using Lorikeet.Nn;

namespace Lorikeet.Training;

/// <summary>Sequences for one forward and backward pass, and what each of their tokens should predict. Buffers are used again.</summary>
public sealed class TrainingBatch
{
    private int[] _targets = [];
    private int _group;

    /// <summary>The sequences without padding. Sequences of one pack share a group; positions start at 0 in each sequence.</summary>
    public RaggedBatch Rows { get; } = new();

    /// <summary>
    /// <c>[rows]</c>: the token that follows and counts in the loss, or <see cref="TrainingExample.Ignored"/>. The last token of a sequence
    /// predicts nothing.
    /// </summary>
    public ReadOnlySpan<int> Targets => _targets.AsSpan(0, Rows.Rows);

    /// <summary>Tokens that count in the loss.</summary>
    public int TargetTokens { get; private set; }

    /// <summary>Takes the named items of a set.</summary>
    public void Fill(ExampleSet set, ReadOnlySpan<int> items)
    {
        ArgumentNullException.ThrowIfNull(set);
        Clear();
        foreach (int item in items)
            Add(set, item);
    }

    /// <summary>Takes items that follow each other in a set.</summary>
    public void Fill(ExampleSet set, int first, int count)
    {
        ArgumentNullException.ThrowIfNull(set);
        Clear();
        for (int i = 0; i < count; i++)
            Add(set, first + i);
    }

    /// <summary>Makes room for so much, so that later batches need no new memory.</summary>
    internal void Reserve(int tokens, int sequences)
    {
        if (_targets.Length < tokens)
            _targets = new int[tokens];
        Clear();
        Rows.Add(_targets.AsSpan(0, tokens));
        for (int i = 1; i < sequences; i++)
            Rows.Add([]);
        Clear();
    }

    private void Clear()
    {
        Rows.Clear();
        TargetTokens = 0;
        _group = 0;
    }

    private void Add(ExampleSet set, int item)
    {
        foreach (TrainingExample sequence in set.SequencesOf(item))
        {
            int row = Rows.Rows;
            Rows.Add(sequence.Ids, group: _group);
            if (_targets.Length < Rows.Rows)
                Array.Resize(ref _targets, Math.Max(Rows.Rows, _targets.Length * 2));
            int[] labels = sequence.Labels;
            for (int i = 1; i < labels.Length; i++)
            {
                _targets[row++] = labels[i];
                if (labels[i] != TrainingExample.Ignored)
                    TargetTokens++;
            }
            _targets[row] = TrainingExample.Ignored;
        }
        _group++;
    }
}
