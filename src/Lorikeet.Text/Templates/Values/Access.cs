namespace Lorikeet.Text;

/// <summary>Attributes and items of values as the sandbox lets templates see them. No member of a .NET object is ever reachable.</summary>
internal static class Access
{
    private static readonly string[] OwnedByAll =
    [
        "__class__", "__delattr__", "__dir__", "__doc__", "__eq__", "__format__", "__ge__", "__getattribute__", "__getstate__", "__gt__", "__hash__",
        "__init__", "__init_subclass__", "__le__", "__lt__", "__ne__", "__new__", "__reduce__", "__reduce_ex__", "__repr__", "__setattr__",
        "__sizeof__", "__str__", "__subclasshook__",
    ];

    /// <summary><c>value.name</c>: the attribute of the Python object if there is one, else the item of that name.</summary>
    public static object? Attribute(object? owner, string name)
    {
        if (owner is Undefined undefined)
            throw undefined.Error();
        if (TryAttribute(owner, name, out object? value))
            return value;
        if (owner is PythonDict dict && dict.TryGet(name, out value))
            return value;
        return Undefined.Member(owner, name);
    }

    /// <summary><c>value[key]</c>: the item if there is one, else the attribute of that name.</summary>
    public static object? Item(RenderState state, object? owner, object? key)
    {
        if (owner is PythonDict dict)
        {
            if (key is string name ? dict.TryGet(name, out object? value) : TryKey(state, dict, key, out value))
                return value;
        }
        else if (TryIndex(state, owner, key, out object? value))
        {
            return value;
        }
        if (PythonText.IsText(key, out string attribute) && TryAttribute(owner, attribute, out object? found))
            return found;
        return Undefined.Member(owner, key);
    }

    /// <summary>The method that a call <c>owner.name(…)</c> means, if it is one of a built-in type.</summary>
    public static NativeFunction? Method(object? owner, string name)
    {
        NativeFunction? method;
        switch (owner)
        {
            case string:
                StringMethods.All.TryGetValue(name, out method);
                break;
            case PythonDict:
                DictMethods.All.TryGetValue(name, out method);
                break;
            case PythonList:
                SequenceMethods.OfList.TryGetValue(name, out method);
                break;
            case PythonTuple:
                SequenceMethods.OfTuple.TryGetValue(name, out method);
                break;
            case Markup:
                MarkupMethods.All.TryGetValue(name, out method);
                break;
            case double:
                NumberMethods.OfFloat.TryGetValue(name, out method);
                break;
            case long or bool or System.Numerics.BigInteger:
                NumberMethods.OfInteger.TryGetValue(name, out method);
                break;
            case Cycler cycler:
                method = name switch
                {
                    "next" => new NativeFunction("next", "/", _ => cycler.Next()),
                    "reset" => new NativeFunction("reset", "/", _ =>
                    {
                        cycler.Reset();
                        return null;
                    }),
                    _ => null,
                };
                break;
            default:
                return null;
        }
        return method;
    }

    /// <summary>An attribute in Python's sense: methods and fields, not items. Those that are unsafe come as an undefined value that says so.</summary>
    public static bool TryAttribute(object? owner, string name, out object? value)
    {
        if (name.StartsWith('_'))
        {
            bool exists = Array.IndexOf(OwnedByAll, name) >= 0 || (owner is TemplateNamespace hidden && hidden.TryGet(name, out _));
            value = exists ? Undefined.Unsafe(owner, name) : null;
            return exists;
        }
        if (Method(owner, name) is { } method)
        {
            value = new BoundMethod(owner, method);
            return true;
        }
        switch (owner)
        {
            case PythonList when SequenceMethods.Refused.Contains(name):
            case PythonDict when DictMethods.Refused.Contains(name):
                value = Undefined.Unsafe(owner, name);
                return true;
            case TemplateNamespace space:
                return space.TryGet(name, out value);
            case LoopContext loop:
                return loop.TryAttribute(name, out value);
            case Macro macro:
                return macro.TryAttribute(name, out value);
            case PythonTuple { Fields: { } fields } tuple:
                int at = Array.IndexOf(fields, name);
                value = at < 0 ? null : tuple[at];
                return at >= 0;
            case PythonRange range when name is "start" or "stop" or "step":
                value = Boxed.Int(name == "start" ? range.Start : name == "stop" ? range.Stop : range.Step);
                return true;
            case Cycler cycler when name == "current":
                value = cycler.Current;
                return true;
            case bool or long or System.Numerics.BigInteger or double when name is "real" or "imag":
                value = name == "real" ? PythonNumbers.Plus(owner) : owner is double ? 0.0 : Boxed.Int(0);
                return true;
            case bool or long or System.Numerics.BigInteger when name is "numerator" or "denominator":
                value = name == "numerator" ? PythonNumbers.Plus(owner) : Boxed.Int(1);
                return true;
            default:
                value = null;
                return false;
        }
    }

    private static bool TryKey(RenderState state, PythonDict dict, object? key, out object? value)
    {
        state.Charge(PythonContainer.WeightOf(key));
        value = null;
        return PythonEquality.IsHashable(key) && dict.TryGet(key, out value);
    }

    private static bool TryIndex(RenderState state, object? owner, object? key, out object? value)
    {
        if (owner is Undefined undefined)
            throw undefined.Error();
        value = null;
        if (!PythonNumbers.TryIndex(key, out long index))
            return false;
        if (owner is string characters)
            state.ChargeText(characters.Length);
        int count = owner switch
        {
            PythonSequence sequence => sequence.Count,
            string text => CodePoints.Count(text),
            Markup markup => CodePoints.Count(markup.Text),
            PythonRange range => range.Count,
            _ => 0,
        };
        if (index < 0)
            index += count;
        if (index < 0 || index >= count)
            return false;
        value = owner switch
        {
            PythonSequence sequence => sequence[(int)index],
            string text => Character(text, (int)index),
            Markup markup => new Markup(Character(markup.Text, (int)index)),
            PythonRange range => Boxed.Int(range[(int)index]),
            _ => null,
        };
        return true;
    }

    private static string Character(string text, int index)
    {
        int at = CodePoints.ToUtf16(text, index);
        bool pair = at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]);
        return text.Substring(at, pair ? 2 : 1);
    }
}
