using System.Collections.Frozen;
using System.Numerics;

namespace Lorikeet.Text;

/// <summary>The methods of int and float that a template could want.</summary>
internal static class NumberMethods
{
    public static readonly FrozenDictionary<string, NativeFunction> OfInteger = new NativeFunction[]
    {
        new("bit_length", "/", a => Boxed.Int(Size(a).IsZero ? 0 : Size(a).GetBitLength())),
        new("bit_count", "/", a => Boxed.Int(Size(a).ToByteArray().Sum(b => BitOperations.PopCount(b)))),
        new("conjugate", "/", a => PythonNumbers.Plus(a.Self)),
        new("is_integer", "/", _ => Boxed.True),
    }.ToFrozenDictionary(f => f.Name);

    public static readonly FrozenDictionary<string, NativeFunction> OfFloat = new NativeFunction[]
    {
        new("conjugate", "/", a => a.Self),
        new("is_integer", "/", a => Boxed.Bool(double.IsInteger((double)a.Self!))),
    }.ToFrozenDictionary(f => f.Name);

    private static BigInteger Size(NativeArguments a)
    {
        PythonNumbers.TryInteger(a.Self, out BigInteger value);
        return BigInteger.Abs(value);
    }
}
