using System.Buffers;

namespace Lorikeet.Text;

/// <summary>
/// The most probable way to cut a text into the pieces of a Unigram model (Kudo 2018, arXiv:1804.10959), found by dynamic programming
/// from left to right.
/// </summary>
internal sealed class UnigramLattice
{
    /// <summary>How much less likely than the least likely piece an unknown character is.</summary>
    public const double UnknownPenalty = 10;

    private readonly CharacterTrie _pieces;
    private readonly double[] _scores;
    private readonly double _lengthBonus;
    private readonly double _unknownScore;
    private readonly int _unknownId;
    private readonly bool _singlePrecision;

    /// <summary>Prepares a model.</summary>
    /// <param name="pieces">The pieces that may be used, with their numbers.</param>
    /// <param name="scores">Log-probability of each piece; not a number for those that take <paramref name="lengthBonus"/> instead.</param>
    /// <param name="lengthBonus">Score per UTF-8 byte of pieces that users defined, which should always win.</param>
    /// <param name="unknownScore">Score of a character that no piece covers.</param>
    /// <param name="unknownId">Its number.</param>
    /// <param name="singlePrecision">Round sums to float, as SentencePiece does.</param>
    public UnigramLattice(CharacterTrie pieces, double[] scores, double lengthBonus, double unknownScore, int unknownId, bool singlePrecision)
    {
        _pieces = pieces;
        _scores = scores;
        _lengthBonus = lengthBonus;
        _unknownScore = unknownScore;
        _unknownId = unknownId;
        _singlePrecision = singlePrecision;
    }

    /// <summary>Adds the pieces of the best cut in order; unknown characters come one by one.</summary>
    public void Cut(ReadOnlySpan<char> text, List<(int Id, int Start, int End)> pieces)
    {
        int count = text.Length + 1;
        double[] scores = ArrayPool<double>.Shared.Rent(count);
        int[] links = ArrayPool<int>.Shared.Rent(2 * count);
        Span<double> best = scores.AsSpan(0, count);
        Span<int> from = links.AsSpan(0, count);
        Span<int> ids = links.AsSpan(count, count);
        from.Fill(-1);
        best[0] = 0;

        for (int start = 0; start < text.Length;)
        {
            int characterLength = TextRewriter.CharacterLength(text, start);
            double here = best[start];
            bool covered = false;
            int node = CharacterTrie.Root;
            for (int end = start; end < text.Length && (node = _pieces.Child(node, text[end])) >= 0;)
            {
                end++;
                int id = _pieces.ValueOf(node);
                if (id == CharacterTrie.NoValue)
                    continue;
                double score = _scores[id];
                if (double.IsNaN(score))
                    score = System.Text.Encoding.UTF8.GetByteCount(text[start..end]) * _lengthBonus - 0.1;
                Offer(best, from, ids, end, start, id, score + here);
                covered |= end - start == characterLength;
            }
            if (!covered)
                Offer(best, from, ids, start + characterLength, start, _unknownId, _unknownScore + here);
            start += characterLength;
        }

        int first = pieces.Count;
        for (int end = text.Length; end > 0; end = from[end])
            pieces.Add((ids[end], from[end], end));
        pieces.Reverse(first, pieces.Count - first);
        ArrayPool<double>.Shared.Return(scores);
        ArrayPool<int>.Shared.Return(links);
    }

    private void Offer(Span<double> best, Span<int> from, Span<int> ids, int end, int start, int id, double score)
    {
        if (from[end] >= 0 && score <= best[end])
            return;
        best[end] = _singlePrecision ? (float)score : score;
        from[end] = start;
        ids[end] = id;
    }
}
