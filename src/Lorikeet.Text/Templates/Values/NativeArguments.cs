namespace Lorikeet.Text;

/// <summary>The arguments of one call of a <see cref="NativeFunction"/>, in the order of its parameters.</summary>
internal readonly struct NativeArguments(RenderState state, NativeFunction function, object? self, object?[] values)
{
    public RenderState State => state;

    /// <summary>The object whose method is called.</summary>
    public object? Self => self;

    /// <summary>The characters of the string whose method is called.</summary>
    public string SelfText => self as string ?? ((Markup)self!).Text;

    public object? this[int index] => values[index];

    public bool Has(int index) => !ReferenceEquals(values[index], Missing.Value);

    /// <summary>True where the argument was given and is not None.</summary>
    public bool IsSet(int index) => Has(index) && values[index] is not null;

    public object? Or(int index, object? fallback) => Has(index) ? values[index] : fallback;

    public bool Flag(int index, bool fallback) => Has(index) ? PythonText.IsTrue(values[index]) : fallback;

    public string Text(int index) => PythonText.IsText(values[index], out string text)
        ? text
        : throw Wrong(index, "str");

    public string Text(int index, string fallback) => Has(index) ? Text(index) : fallback;

    public int Int(int index)
    {
        if (values[index] is Undefined undefined)
            throw undefined.Error();
        return PythonNumbers.TryIndex(values[index], out long value)
            ? (int)Math.Clamp(value, int.MinValue, int.MaxValue)
            : throw EvaluationException.Type($"'{PythonTypes.NameOf(values[index])}' object cannot be interpreted as an integer");
    }

    public int Int(int index, int fallback) => Has(index) ? Int(index) : fallback;

    /// <summary>What a <c>*rest</c> parameter took.</summary>
    public object?[] Rest(int index) => (object?[])values[index]!;

    /// <summary>What a <c>**options</c> parameter took.</summary>
    public NamedArgument[] Options(int index) => (NamedArgument[])values[index]!;

    private EvaluationException Wrong(int index, string expected) => values[index] is Undefined undefined
        ? undefined.Error()
        : EvaluationException.Type(
            $"{function.Name}() argument '{function.ParameterName(index)}' must be {expected}, not {PythonTypes.NameOf(values[index])}");
}
