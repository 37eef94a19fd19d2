using System.Collections.Frozen;
using System.Numerics;

namespace Lorikeet.Text;

/// <summary>Every test by name: what may follow <c>is</c>.</summary>
internal static class TemplateTests
{
    public static readonly FrozenDictionary<string, NativeFunction> All = new NativeFunction[]
    {
        new("!=", "a b", a => Boxed.Bool(!Equal(a))),
        new("<", "a b", a => Ordered(a, "<", c => c < 0)),
        new("<=", "a b", a => Ordered(a, "<=", c => c <= 0)),
        new("==", "a b", a => Boxed.Bool(Equal(a))),
        new(">", "a b", a => Ordered(a, ">", c => c > 0)),
        new(">=", "a b", a => Ordered(a, ">=", c => c >= 0)),
        new("boolean", "value", a => Boxed.Bool(a[0] is bool)),
        new("callable", "obj", a => Boxed.Bool(a[0] is ICallable or Undefined)),
        new("defined", "value", a => Boxed.Bool(a[0] is not Undefined)),
        new("divisibleby", "value num", a => Boxed.Bool(IsZero(Operators.Apply(a.State, ArithmeticOperator.Modulo, a[0], a[1])))),
        new("eq", "a b", a => Boxed.Bool(Equal(a))),
        new("equalto", "a b", a => Boxed.Bool(Equal(a))),
        new("escaped", "value", a => Boxed.Bool(a[0] is Markup)),
        new("even", "value", a => Boxed.Bool(IsZero(Operators.Apply(a.State, ArithmeticOperator.Modulo, a[0], Boxed.Int(2))))),
        new("false", "value", a => Boxed.Bool(a[0] is false)),
        new("filter", "value", a => Boxed.Bool(a[0] is string name && TemplateFilters.All.ContainsKey(name))),
        new("float", "value", a => Boxed.Bool(a[0] is double)),
        new("ge", "a b", a => Ordered(a, ">=", c => c >= 0)),
        new("greaterthan", "a b", a => Ordered(a, ">", c => c > 0)),
        new("gt", "a b", a => Ordered(a, ">", c => c > 0)),
        new("in", "value seq", a => Boxed.Bool(Iteration.Contains(a.State, a[1], a[0]))),
        new("integer", "value", a => Boxed.Bool(a[0] is long or BigInteger)),
        new("iterable", "value", a => Boxed.Bool(Iteration.IsIterable(a[0]))),
        new("le", "a b", a => Ordered(a, "<=", c => c <= 0)),
        new("lessthan", "a b", a => Ordered(a, "<", c => c < 0)),
        new("lower", "value", a => Boxed.Bool(StringCase.IsLower(TextFilters.Soft(a)))),
        new("lt", "a b", a => Ordered(a, "<", c => c < 0)),
        new("mapping", "value", a => Boxed.Bool(a[0] is PythonDict)),
        new("ne", "a b", a => Boxed.Bool(!Equal(a))),
        new("none", "value", a => Boxed.Bool(a[0] is null)),
        new("number", "value", a => Boxed.Bool(PythonNumbers.IsNumber(a[0]))),
        new("odd", "value", a => Boxed.Bool(PythonEquality.AreEqual(Operators.Apply(a.State, ArithmeticOperator.Modulo, a[0], Boxed.Int(2)), 1L))),
        new("sameas", "value other", a => Boxed.Bool(IsSame(a[0], a[1]))),
        new("sequence", "value", a => Boxed.Bool(a[0] is string or PythonContainer or Undefined or PythonRange or Markup)),
        new("string", "value", a => Boxed.Bool(a[0] is string or Markup)),
        new("test", "value", a => Boxed.Bool(a[0] is string name && All!.ContainsKey(name))),
        new("true", "value", a => Boxed.Bool(a[0] is true)),
        new("undefined", "value", a => Boxed.Bool(a[0] is Undefined)),
        new("upper", "value", a => Boxed.Bool(StringCase.IsUpper(TextFilters.Soft(a)))),
    }.ToFrozenDictionary(f => f.Name);

    /// <summary>The test that a value names, for <c>select</c>.</summary>
    public static NativeFunction Find(object? name) => name is string text && All.TryGetValue(text, out NativeFunction? test)
        ? test
        : throw EvaluationException.Runtime($"No test named {PythonText.Repr(name)}.");

    private static bool Equal(NativeArguments a)
    {
        a.State.Charge(Math.Min(PythonContainer.WeightOf(a[0]), PythonContainer.WeightOf(a[1])));
        return PythonEquality.AreEqual(a[0], a[1]);
    }

    private static object Ordered(NativeArguments a, string symbol, Func<int, bool> holds)
    {
        a.State.Charge(Math.Min(PythonContainer.WeightOf(a[0]), PythonContainer.WeightOf(a[1])));
        return Boxed.Bool(PythonOrder.Compare(a[0], a[1], symbol) is int order && holds(order));
    }

    private static bool IsZero(object? value) => PythonEquality.AreEqual(value, 0L);

    // Small integers, booleans, None and equal literals are one object in Python.
    private static bool IsSame(object? a, object? b) => ReferenceEquals(a, b) || (a, b) switch
    {
        (bool x, bool y) => x == y,
        (long x, long y) => x == y,
        (string x, string y) => x == y,
        _ => false,
    };
}
