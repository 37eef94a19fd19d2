using System.Numerics;

namespace Lorikeet.Text;

/// <summary>Booleans and integers as objects, without an allocation for the common ones.</summary>
internal static class Boxed
{
    public static readonly object True = true;
    public static readonly object False = false;

    private const int Lowest = -16;
    private static readonly object[] Small = [.. Enumerable.Range(Lowest, 1040).Select(i => (object)(long)i)];

    public static object Bool(bool value) => value ? True : False;

    public static object Int(long value) => (ulong)(value - Lowest) < (ulong)Small.Length ? Small[value - Lowest] : value;

    /// <summary>The integer in its narrow form where it fits, so that equal integers have one representation.</summary>
    public static object Int(BigInteger value)
    {
        if (value >= long.MinValue && value <= long.MaxValue)
            return Int((long)value);
        if (value.GetBitLength() > PythonNumbers.MaxIntegerBits)
            throw EvaluationException.Limit($"an integer grew past {PythonNumbers.MaxIntegerBits} bits");
        return value;
    }
}
