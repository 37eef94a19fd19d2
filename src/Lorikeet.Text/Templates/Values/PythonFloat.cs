using System.Globalization;
using System.Numerics;

namespace Lorikeet.Text;

/// <summary>Floats to and from text as Python and C print them: shortest for <c>repr</c>, exact for a given number of digits.</summary>
internal static class PythonFloat
{
    /// <summary>The shortest digits that read back as the same number: <c>1.5</c>, <c>1e-05</c>, <c>1e+16</c>, <c>inf</c>.</summary>
    public static string Repr(double value)
    {
        if (!double.IsFinite(value))
            return NonFinite(value);
        (bool negative, string digits, int point) = Shortest(value);
        string sign = negative ? "-" : "";
        int exponent = point - 1;
        if (exponent is < -4 or >= 16)
        {
            string mantissa = digits.Length > 1 ? $"{digits[0]}.{digits[1..]}" : digits;
            return sign + mantissa + ExponentText(exponent);
        }
        if (point <= 0)
            return sign + "0." + new string('0', -point) + digits;
        if (digits.Length <= point)
            return sign + digits + new string('0', point - digits.Length) + ".0";
        return sign + digits[..point] + "." + digits[point..];
    }

    public static string NonFinite(double value) => double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";

    /// <summary>Exactly <paramref name="decimals"/> digits after the point, correctly rounded, ties to even; without sign.</summary>
    public static string Fixed(double value, int decimals)
    {
        string digits = Scaled(Math.Abs(value), decimals).ToString(CultureInfo.InvariantCulture);
        if (decimals == 0)
            return digits;
        digits = digits.PadLeft(decimals + 1, '0');
        return $"{digits.AsSpan(0, digits.Length - decimals)}.{digits.AsSpan(digits.Length - decimals)}";
    }

    /// <summary>One digit, then <paramref name="decimals"/> more, correctly rounded, and the power of ten of the first.</summary>
    public static (string Digits, int Exponent) Scientific(double value, int decimals)
    {
        value = Math.Abs(value);
        if (value == 0)
            return (new string('0', decimals + 1), 0);
        int exponent = Shortest(value).Point - 1;
        string digits = Scaled(value, decimals - exponent).ToString(CultureInfo.InvariantCulture);
        return digits.Length > decimals + 1 ? (digits[..^1], exponent + 1) : (digits, exponent);
    }

    public static string ExponentText(int exponent) =>
        string.Create(CultureInfo.InvariantCulture, $"e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");

    /// <summary>Python's <c>round(value, digits)</c>: to the nearest, exact ties to even.</summary>
    public static double Round(double value, int digits)
    {
        if (!double.IsFinite(value) || value == 0 || digits > 323)
            return value;
        if (digits < -308)
            return Math.CopySign(0, value);
        BigInteger scaled = Scaled(Math.Abs(value), digits);
        double rounded = double.Parse(
            scaled.ToString(CultureInfo.InvariantCulture) + "e" + (-digits).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        if (double.IsInfinity(rounded))
            throw EvaluationException.Value("rounded value too large to represent");
        return Math.CopySign(rounded, value);
    }

    /// <summary>What <c>float(text)</c> accepts, underscores and infinities included.</summary>
    public static bool TryParse(string text, out double value)
    {
        text = StringOperations.Strip(text);
        value = 0;
        string bare = text.TrimStart('+', '-');
        if (bare.Length < text.Length - 1 || bare.Length == 0)
            return false;
        double sign = text[0] == '-' ? -1 : 1;
        if (bare.Equals("inf", StringComparison.OrdinalIgnoreCase) || bare.Equals("infinity", StringComparison.OrdinalIgnoreCase))
            value = sign * double.PositiveInfinity;
        else if (bare.Equals("nan", StringComparison.OrdinalIgnoreCase))
            value = double.NaN;
        else
            return IsFloatText(bare) && double.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out value);
        return true;
    }

    /// <summary>The nearest double, ties to even.</summary>
    public static double FromInteger(BigInteger value) =>
        double.Parse(value.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    // round(value * 10^decimals) as an exact integer, ties to even
    private static BigInteger Scaled(double value, int decimals)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        int exponent = (int)((bits >> 52) & 0x7ff);
        BigInteger numerator = exponent == 0 ? bits & 0xfffffffffffff : (bits & 0xfffffffffffff) | (1L << 52);
        BigInteger denominator = BigInteger.One;
        int power = Math.Max(exponent, 1) - 1075;
        if (power >= 0)
            numerator <<= power;
        else
            denominator <<= -power;
        if (decimals >= 0)
            numerator *= BigInteger.Pow(10, decimals);
        else
            denominator *= BigInteger.Pow(10, -decimals);
        BigInteger quotient = BigInteger.DivRem(numerator, denominator, out BigInteger remainder);
        int half = (remainder * 2).CompareTo(denominator);
        return half > 0 || (half == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    private static (bool Negative, string Digits, int Point) Shortest(double value)
    {
        string shortest = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        int e = shortest.IndexOf('E', StringComparison.Ordinal);
        int exponent = e < 0 ? 0 : int.Parse(shortest.AsSpan(e + 1), CultureInfo.InvariantCulture);
        string mantissa = e < 0 ? shortest : shortest[..e];
        int dot = mantissa.IndexOf('.', StringComparison.Ordinal);
        int point = (dot < 0 ? mantissa.Length : dot) + exponent;
        string digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        int zeros = digits.Length - digits.TrimStart('0').Length;
        digits = digits[zeros..].TrimEnd('0');
        if (digits.Length == 0)
            return (double.IsNegative(value), "0", 1);
        return (double.IsNegative(value), digits, point - zeros);
    }

    private static bool IsFloatText(string text)
    {
        if (!text.Contains('_', StringComparison.Ordinal))
            return true;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '_' && (i == 0 || i + 1 == text.Length || !char.IsAsciiDigit(text[i - 1]) || !char.IsAsciiDigit(text[i + 1])))
                return false;
        }
        return true;
    }
}
