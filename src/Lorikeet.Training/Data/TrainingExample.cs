namespace Lorikeet.Training;

/// <summary>A sequence to learn from.</summary>
/// <param name="Ids">Token ids, <c>[tokens]</c>.</param>
/// <param name="Labels"><c>[tokens]</c>: the token's own id where it counts in the loss, <see cref="Ignored"/> where it does not.</param>
public sealed record TrainingExample(int[] Ids, int[] Labels)
{
    /// <summary>The label of a token that does not count, as everywhere in this trade.</summary>
    public const int Ignored = -100;

    /// <summary>Tokens.</summary>
    public int Length => Ids.Length;

    /// <summary>Tokens that count in the loss. The first one never does: nothing stands before it to predict it from.</summary>
    public int Targets
    {
        get
        {
            int targets = 0;
            for (int i = 1; i < Labels.Length; i++)
            {
                if (Labels[i] != Ignored)
                    targets++;
            }
            return targets;
        }
    }

    /// <summary>Every token counts.</summary>
    public static TrainingExample Whole(int[] ids) => new(ids, [.. ids]);

    /// <summary>A prompt that does not count, and a completion that does.</summary>
    public static TrainingExample Completion(ReadOnlySpan<int> prompt, ReadOnlySpan<int> completion)
    {
        int[] labels = new int[prompt.Length + completion.Length];
        labels.AsSpan(0, prompt.Length).Fill(Ignored);
        completion.CopyTo(labels.AsSpan(prompt.Length));
        return new TrainingExample([.. prompt, .. completion], labels);
    }

    /// <summary>A part of it.</summary>
    public TrainingExample Slice(int start, int count) =>
        start == 0 && count == Length ? this : new(Ids.AsSpan(start, count).ToArray(), Labels.AsSpan(start, count).ToArray());

    /// <summary>What is left of it under a limit of length: itself, a part, several parts, or nothing.</summary>
    /// <param name="maxLength">Tokens at most.</param>
    /// <param name="truncation">What to do when it is longer; <see cref="Truncation.Refuse"/> leaves nothing, like <see cref="Truncation.Drop"/>.</param>
    public IEnumerable<TrainingExample> Cut(int maxLength, Truncation truncation)
    {
        if (Length <= maxLength)
        {
            yield return this;
            yield break;
        }
        switch (truncation)
        {
            case Truncation.KeepStart:
                yield return Slice(0, maxLength);
                break;
            case Truncation.KeepEnd:
                yield return Slice(Length - maxLength, maxLength);
                break;
            case Truncation.Split:
                for (int start = 0; start < Length; start += maxLength)
                    yield return Slice(start, Math.Min(maxLength, Length - start));
                break;
        }
    }
}
