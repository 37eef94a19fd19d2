using System.Globalization;
using System.Numerics;

namespace Lorikeet.Text;

/// <summary>Python's arithmetic on bool, int (without bounds, up to a limit) and float.</summary>
internal static class PythonNumbers
{
    public const int MaxIntegerBits = 16_384;

    /// <summary>Python itself refuses to read or print integers that are longer.</summary>
    public const int MaxDigits = 4300;

    public static bool IsNumber(object? value) => value is long or double or bool or BigInteger;

    /// <summary>The integer of a bool or int.</summary>
    public static bool TryInteger(object? value, out BigInteger integer)
    {
        switch (value)
        {
            case long number:
                integer = number;
                return true;
            case bool flag:
                integer = flag ? 1 : 0;
                return true;
            case BigInteger big:
                integer = big;
                return true;
            default:
                integer = default;
                return false;
        }
    }

    /// <summary>The value of a bool or int, brought into the range of a long; false for anything else.</summary>
    public static bool TryIndex(object? value, out long index)
    {
        index = value switch
        {
            long number => number,
            bool flag => flag ? 1 : 0,
            BigInteger big => big.Sign < 0 ? long.MinValue : long.MaxValue,
            _ => 0,
        };
        return value is long or bool or BigInteger;
    }

    public static double ToDouble(object? value) => value switch
    {
        double number => number,
        long number => number,
        bool flag => flag ? 1 : 0,
        BigInteger big => Finite((double)big),
        _ => throw new ArgumentException("not a number", nameof(value)),
    };

    /// <summary>Exact, whatever the mixture; null where either is NaN.</summary>
    public static int? Compare(object? a, object? b)
    {
        if (a is long x && b is long y)
            return x.CompareTo(y);
        if (a is double left && b is double right)
            return double.IsNaN(left) || double.IsNaN(right) ? null : left.CompareTo(right);
        if (a is double number)
            return double.IsNaN(number) ? null : CompareExact(number, b);
        if (b is double other)
            return double.IsNaN(other) ? null : -CompareExact(other, a);
        TryInteger(a, out BigInteger p);
        TryInteger(b, out BigInteger q);
        return p.CompareTo(q);
    }

    /// <summary>The result, or null where these are not both numbers.</summary>
    public static object? Apply(ArithmeticOperator op, object? a, object? b)
    {
        if (a is long x && b is long y)
        {
            switch (op)
            {
                case ArithmeticOperator.Add when !OverflowsAdd(x, y, out long sum):
                    return Boxed.Int(sum);
                case ArithmeticOperator.Subtract when !OverflowsSubtract(x, y, out long difference):
                    return Boxed.Int(difference);
                case ArithmeticOperator.Modulo when y > 0:
                    return Boxed.Int(((x % y) + y) % y);
            }
        }
        if (!IsNumber(a) || !IsNumber(b))
            return null;
        if (a is double || b is double)
            return ApplyFloat(op, ToDouble(a), ToDouble(b));
        TryInteger(a, out BigInteger p);
        TryInteger(b, out BigInteger q);
        return ApplyInteger(op, p, q);
    }

    public static string Text(BigInteger value)
    {
        string digits = value.ToString(CultureInfo.InvariantCulture);
        if (digits.Length > MaxDigits + 1)
            throw EvaluationException.Value($"Exceeds the limit ({MaxDigits} digits) for integer string conversion");
        return digits;
    }

    public static object Negate(object? value) => value switch
    {
        double number => -number,
        _ when TryInteger(value, out BigInteger integer) => Boxed.Int(-integer),
        _ => throw EvaluationException.Type($"bad operand type for unary -: '{PythonTypes.NameOf(value)}'"),
    };

    public static object Plus(object? value) => value switch
    {
        double => value,
        _ when TryInteger(value, out BigInteger integer) => Boxed.Int(integer),
        _ => throw EvaluationException.Type($"bad operand type for unary +: '{PythonTypes.NameOf(value)}'"),
    };

    /// <summary>Python's <c>int(float)</c>: towards zero.</summary>
    public static object Truncate(double value)
    {
        if (double.IsNaN(value))
            throw EvaluationException.Value("cannot convert float NaN to integer");
        if (double.IsInfinity(value))
            throw EvaluationException.Value("cannot convert float infinity to integer");
        return Boxed.Int(new BigInteger(value));
    }

    private static int CompareExact(double number, object? integer)
    {
        if (double.IsInfinity(number))
            return number > 0 ? 1 : -1;
        TryInteger(integer, out BigInteger exact);
        double floor = Math.Floor(number);
        int whole = new BigInteger(floor).CompareTo(exact);
        return whole != 0 || floor == number ? whole : 1;
    }

    private static bool OverflowsAdd(long x, long y, out long sum)
    {
        sum = unchecked(x + y);
        return ((x ^ sum) & (y ^ sum)) < 0;
    }

    private static bool OverflowsSubtract(long x, long y, out long difference)
    {
        difference = unchecked(x - y);
        return ((x ^ y) & (x ^ difference)) < 0;
    }

    private static object ApplyInteger(ArithmeticOperator op, BigInteger a, BigInteger b)
    {
        switch (op)
        {
            case ArithmeticOperator.Add:
                return Boxed.Int(a + b);
            case ArithmeticOperator.Subtract:
                return Boxed.Int(a - b);
            case ArithmeticOperator.Multiply:
                return Boxed.Int(a * b);
            case ArithmeticOperator.Divide:
                if (b.IsZero)
                    throw EvaluationException.Value("division by zero");
                return Quotient(a, b);
            case ArithmeticOperator.FloorDivide:
                if (b.IsZero)
                    throw EvaluationException.Value("integer division or modulo by zero");
                return Boxed.Int((a - FloorRemainder(a, b)) / b);
            case ArithmeticOperator.Modulo:
                if (b.IsZero)
                    throw EvaluationException.Value("integer modulo by zero");
                return Boxed.Int(FloorRemainder(a, b));
            default:
                return IntegerPower(a, b);
        }
    }

    private static BigInteger FloorRemainder(BigInteger a, BigInteger b)
    {
        BigInteger remainder = BigInteger.Remainder(a, b);
        return !remainder.IsZero && remainder.Sign != b.Sign ? remainder + b : remainder;
    }

    // Scaled so that the integer quotient keeps 66 bits or more, with a sticky last bit: the conversion then rounds correctly.
    private static object Quotient(BigInteger a, BigInteger b)
    {
        const long exact = 1L << 53;
        if (BigInteger.Abs(a) <= exact && BigInteger.Abs(b) <= exact)
            return (double)a / (double)b;
        BigInteger top = BigInteger.Abs(a), bottom = BigInteger.Abs(b);
        int shift = (int)(bottom.GetBitLength() - top.GetBitLength()) + 66;
        (BigInteger quotient, BigInteger remainder) = shift >= 0
            ? BigInteger.DivRem(top << shift, bottom)
            : BigInteger.DivRem(top, bottom << -shift);
        double result = Math.ScaleB(PythonFloat.FromInteger(remainder.IsZero ? quotient : quotient | 1), -shift);
        if (double.IsInfinity(result))
            throw EvaluationException.Value("integer division result too large for a float");
        return a.Sign * b.Sign < 0 ? -result : result;
    }

    private static object IntegerPower(BigInteger a, BigInteger b)
    {
        if (b.Sign < 0)
            return ApplyFloat(ArithmeticOperator.Power, Finite((double)a), Finite((double)b));
        if (a.IsZero || a.IsOne)
            return Boxed.Int(b.IsZero ? BigInteger.One : a);
        if (a == BigInteger.MinusOne)
            return Boxed.Int(b.IsEven ? 1 : -1);
        if (b > MaxIntegerBits || (a.GetBitLength() - 1) * (long)b > MaxIntegerBits)
            throw EvaluationException.Limit($"an integer grew past {MaxIntegerBits} bits");
        return Boxed.Int(BigInteger.Pow(a, (int)b));
    }

    private static object ApplyFloat(ArithmeticOperator op, double a, double b)
    {
        switch (op)
        {
            case ArithmeticOperator.Add:
                return a + b;
            case ArithmeticOperator.Subtract:
                return a - b;
            case ArithmeticOperator.Multiply:
                return a * b;
            case ArithmeticOperator.Divide:
                if (b == 0)
                    throw EvaluationException.Value("float division by zero");
                return a / b;
            case ArithmeticOperator.FloorDivide:
                if (b == 0)
                    throw EvaluationException.Value("float floor division by zero");
                return FloorDivide(a, b);
            case ArithmeticOperator.Modulo:
                if (b == 0)
                    throw EvaluationException.Value("float modulo");
                return FloorRemainder(a, b);
            default:
                return FloatPower(a, b);
        }
    }

    private static double FloorRemainder(double a, double b)
    {
        double remainder = a % b;
        if (remainder == 0)
            return Math.CopySign(0, b);
        return remainder < 0 != b < 0 ? remainder + b : remainder;
    }

    private static double FloorDivide(double a, double b)
    {
        double quotient = (a - FloorRemainder(a, b)) / b;
        if (quotient == 0)
            return Math.CopySign(0, a / b);
        double floor = Math.Floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    private static object FloatPower(double a, double b)
    {
        if (a == 0 && b < 0)
            throw EvaluationException.Value("0.0 cannot be raised to a negative power");
        if (a < 0 && double.IsFinite(a) && double.IsFinite(b) && Math.Floor(b) != b)
            throw EvaluationException.Type("a negative number to a fractional power is complex, which templates do not have");
        double power = Math.Pow(a, b);
        if (double.IsInfinity(power) && double.IsFinite(a) && double.IsFinite(b))
            throw EvaluationException.Value("(34, 'Numerical result out of range')");
        return power;
    }

    private static double Finite(double value) => double.IsFinite(value)
        ? value
        : throw EvaluationException.Value("int too large to convert to float");
}
