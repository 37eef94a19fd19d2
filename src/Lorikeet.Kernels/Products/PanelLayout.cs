namespace Lorikeet.Kernels;

/// <summary>
/// How a block format lies in panels of 32 columns, interleaved so that a register holds the same four terms of as many columns as it has lanes.
/// A panel is a row of units of 32 terms: words of four codes, 32 columns side by side, then what belongs to the unit of each column. Formats of
/// 256 weights have a head before each eight units: their scales, then those of all units. Where a whole row shares a scale, the columns' scales lie
/// behind the last.
/// </summary>
/// <param name="CodeWords">Words of codes of a column in a unit: two codes to a byte have 4, one has 8, six bits 4 and 2 of upper bits.</param>
/// <param name="TailBytes">Bytes of a unit behind its codes.</param>
/// <param name="Units">Units that share a head.</param>
/// <param name="HeadBytes">Bytes of a head.</param>
/// <param name="OffsetShift">Codes are greater by 1 shifted this far than what they stand for; -1 where they are not.</param>
/// <param name="HasMinimum">Each unit of a column has a minimum, taken away from its values.</param>
/// <param name="Scales">Scales of a column in a unit: 1, or 2 where 16 terms share one; 0 where a whole row does.</param>
internal readonly record struct PanelLayout(int CodeWords, int TailBytes, int Units, int HeadBytes, int OffsetShift, bool HasMinimum, int Scales)
{
    /// <summary>Columns of a panel.</summary>
    public const int Columns = 32;

    /// <summary>Terms of a unit.</summary>
    public const int Terms = 32;

    /// <summary>Terms of a row of activations that share a scale where a whole row of weights does: their sum stays an integer.</summary>
    public const int RowTerms = 128;

    /// <summary>Terms of a panel that meet all rows before the next: a byte each, they stay in the first cache.</summary>
    public const int BlockTerms = 768;

    /// <summary>True where a whole row shares a scale.</summary>
    public bool ByRows => Scales == 0;

    /// <summary>Bytes of a unit.</summary>
    public int UnitBytes => CodeWords * 4 * Columns + TailBytes;

    /// <summary>True where two codes share a byte.</summary>
    public bool Nibbles => CodeWords < 8;

    /// <summary>True where codes of six bits have their upper two apart.</summary>
    public bool SixBits => CodeWords == 6;

    /// <summary>True where codes need all eight bits: pairs of their products are too great for 16 bits unless signs are taken apart.</summary>
    public bool FullBytes => OffsetShift == 7;

    /// <summary>True where each unit has its scales, and then its minima, as singles behind its codes.</summary>
    public bool Singles { get; init; }

    /// <summary>Singles of a column in a unit, where there are such.</summary>
    public int SinglesOfUnit => Scales + (HasMinimum ? 1 : 0);

    /// <summary>The same with a byte for each code and a single for each scale and minimum.</summary>
    public PanelLayout Widened => this with { CodeWords = 8, Singles = true, TailBytes = SinglesOfUnit * sizeof(float) * Columns, Units = 1, HeadBytes = 0 };

    /// <summary>True for the formats whose codes are multiplied as integers.</summary>
    public static bool Exists(DType type) => Index(type) >= 0;

    /// <summary>A number for each such format, or -1.</summary>
    public static int Index(DType type) => type switch
    {
        DType.Q4_0 => 0,
        DType.Q4_1 => 1,
        DType.Q8_0 => 2,
        DType.Q4_K => 3,
        DType.Q6_K => 4,
        DType.Int8Row => 5,
        _ => -1,
    };

    /// <summary>How many formats have a number.</summary>
    public const int Count = 6;

    /// <summary>The layout of a format.</summary>
    public static PanelLayout Of(DType type) => type switch
    {
        DType.Q4_0 => new(4, 2 * Columns, 1, 0, 3, false, 1),
        DType.Q4_1 => new(4, 4 * Columns, 1, 0, -1, true, 1),
        DType.Q8_0 => new(8, 2 * Columns, 1, 0, 7, false, 1),
        DType.Q4_K => new(4, 0, 8, (4 + 8 * 2) * Columns, -1, true, 1),
        DType.Q6_K => new(6, 0, 8, (2 + 8 * 2) * Columns, 5, false, 2),
        DType.Int8Row => new(8, 0, 1, 0, 7, false, 0),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "its codes are no integers that share a scale"),
    };

    /// <summary>Bytes of so many terms of a panel, whole blocks.</summary>
    public nint Bytes(int terms)
    {
        int units = terms / Terms;
        return (nint)units * UnitBytes + (nint)(units / Units) * HeadBytes;
    }

    /// <summary>Bytes of a whole panel.</summary>
    public nint PanelBytes(int terms) => Bytes(terms) + (ByRows ? Columns * sizeof(float) : 0);
}
