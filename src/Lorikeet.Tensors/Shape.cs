using System.Globalization;

namespace Lorikeet.Tensors;

/// <summary>The sizes of a tensor, up to four, outermost first.</summary>
public readonly struct Shape : IEquatable<Shape>
{
    private readonly int _a, _b, _c, _d;

    /// <summary>A vector.</summary>
    public Shape(int a) => (Rank, _a) = (1, a);

    /// <summary>A matrix.</summary>
    public Shape(int a, int b) => (Rank, _a, _b) = (2, a, b);

    /// <summary>Three sizes.</summary>
    public Shape(int a, int b, int c) => (Rank, _a, _b, _c) = (3, a, b, c);

    /// <summary>Four sizes.</summary>
    public Shape(int a, int b, int c, int d) => (Rank, _a, _b, _c, _d) = (4, a, b, c, d);

    /// <summary>How many sizes; 0 for a single number.</summary>
    public int Rank { get; }

    /// <summary>One size; negative axes count from the end.</summary>
    public int this[int axis] => (axis < 0 ? axis + Rank : axis) switch
    {
        0 when Rank > 0 => _a,
        1 when Rank > 1 => _b,
        2 when Rank > 2 => _c,
        3 when Rank > 3 => _d,
        _ => throw new ArgumentOutOfRangeException(nameof(axis), $"axis {axis} of {this}"),
    };

    /// <summary>The product of all sizes.</summary>
    public long Elements => Rank switch
    {
        0 => 1,
        1 => _a,
        2 => (long)_a * _b,
        3 => checked((long)_a * _b * _c),
        _ => checked((long)_a * _b * _c * _d),
    };

    /// <summary>The innermost size; 1 for a single number.</summary>
    public int Columns => Rank == 0 ? 1 : this[Rank - 1];

    /// <summary>The product of all sizes but the innermost.</summary>
    public int Rows => Rank <= 1 ? 1 : checked((int)(Elements / Math.Max(1, Columns)));

    /// <summary>Sizes from a file.</summary>
    /// <exception cref="ArgumentException">More than four sizes, or one that is too large.</exception>
    public static Shape From(IReadOnlyList<long> sizes)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        if (sizes.Count > 4 || sizes.Any(size => size is < 0 or > int.MaxValue))
            throw new ArgumentException($"[{string.Join(", ", sizes)}] has more than four sizes, or one beyond {int.MaxValue}");
        return sizes.Count switch
        {
            0 => default,
            1 => new((int)sizes[0]),
            2 => new((int)sizes[0], (int)sizes[1]),
            3 => new((int)sizes[0], (int)sizes[1], (int)sizes[2]),
            _ => new((int)sizes[0], (int)sizes[1], (int)sizes[2], (int)sizes[3]),
        };
    }

    /// <summary>The sizes as a list.</summary>
    public long[] ToArray()
    {
        long[] sizes = new long[Rank];
        for (int i = 0; i < Rank; i++)
            sizes[i] = this[i];
        return sizes;
    }

    /// <inheritdoc/>
    public bool Equals(Shape other) => Rank == other.Rank && _a == other._a && _b == other._b && _c == other._c && _d == other._d;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Rank, _a, _b, _c, _d);

    /// <summary>Same sizes.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Other sizes.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => "[" + string.Join(", ", ToArray().Select(size => size.ToString(CultureInfo.InvariantCulture))) + "]";
}
