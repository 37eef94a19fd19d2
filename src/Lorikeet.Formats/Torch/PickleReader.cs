using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// The stack machine of Python's pickle, protocols 0 to 5, without the part that makes it dangerous: names are not looked up and nothing is called. What a pickle
/// "calls" is handed to a <see cref="TorchGlobals"/>, which knows the few names that files of tensors need and refuses all others.
/// <para>
/// Values: <c>null</c>, <c>bool</c>, <c>long</c>, <see cref="BigInteger"/>, <c>double</c>, <c>string</c>, <c>byte[]</c>, <c>List&lt;object?&gt;</c>
/// (list and set), <c>object?[]</c> (tuple), <see cref="PickleMap"/>, <see cref="PickleGlobal"/>, <see cref="TorchStorage"/>, <see cref="TorchTensor"/>.
/// </para>
/// </summary>
internal sealed class PickleReader(NativeBytes bytes, TorchGlobals globals, Func<object?, object?> persistent, string description)
{
    private const int LongestNumber = 64;
    private const long LongestPickle = 1 << 28;
    private const int MostOperations = 10_000_000;

    private static readonly object Mark = new();

    private readonly List<object?> _stack = [];
    private readonly Dictionary<long, object?> _memo = [];

    /// <summary>Bytes read so far.</summary>
    public long Position { get; private set; }

    /// <summary>Reads one pickle and returns its value.</summary>
    /// <param name="data">Everything from the first byte of the pickle.</param>
    /// <param name="globals">Makes what named things make.</param>
    /// <param name="persistent">Resolves persistent ids (storages).</param>
    /// <param name="description">What messages call the file.</param>
    /// <param name="length">Bytes that the pickle took.</param>
    /// <exception cref="InputException">It is damaged, or asks for a name that is not known.</exception>
    public static object? Read(NativeBytes data, TorchGlobals globals, Func<object?, object?> persistent, string description, out long length)
    {
        PickleReader reader = new(data.Slice(0, Math.Min(data.Length, LongestPickle)), globals, persistent, description);
        object? value = reader.Run();
        length = reader.Position;
        return value;
    }

    private object? Run()
    {
        for (int operations = 0; operations < MostOperations; operations++)
        {
            byte code = Take(1)[0];
            if (code == '.')
                return Pop();
            Execute(code);
        }
        throw Bad($"its pickle takes more than {MostOperations} operations, far more than tensors need");
    }

    private void Execute(byte code)
    {
        switch (code)
        {
            case 0x80: // protocol
                if (Take(1)[0] > 5)
                    throw Bad("it is a pickle of a protocol newer than 5");
                break;
            case 0x95: // frame
                Take(8);
                break;
            case (byte)'(': Push(Mark); break;
            case (byte)'0': Pop(); break;
            case (byte)'1': PopToMark(); break;
            case (byte)'2': Push(Top()); break;

            case (byte)'N': Push(null); break;
            case 0x88: Push(true); break;
            case 0x89: Push(false); break;
            case (byte)'K': Push((long)Take(1)[0]); break;
            case (byte)'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case (byte)'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case (byte)'I': Push(Int(Line())); break;
            case (byte)'L': Push(Number(Line().TrimEnd('L'))); break;
            case 0x8a: Push(Number(Take(Take(1)[0]))); break;
            case 0x8b: Push(Number(Take(Length(4)))); break;
            case (byte)'F': Push(Float(Line())); break;
            case (byte)'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;

            case (byte)'X': Push(Utf8(Length(4))); break;
            case 0x8c: Push(Utf8(Take(1)[0])); break;
            case 0x8d: Push(Utf8(Length(8))); break;
            case (byte)'V': Push(Unescaped(Line())); break;
            case (byte)'S': Push(Unescaped(Line().Trim('\'', '"'))); break;
            case (byte)'T': Push(Encoding.Latin1.GetString(Take(Length(4)))); break;
            case (byte)'U': Push(Encoding.Latin1.GetString(Take(Take(1)[0]))); break;
            case (byte)'B': Push(Take(Length(4)).ToArray()); break;
            case (byte)'C': Push(Take(Take(1)[0]).ToArray()); break;
            case 0x8e or 0x96: Push(Take(Length(8)).ToArray()); break;

            case (byte)']': Push(new List<object?>()); break;
            case (byte)'l': Push(PopToMark()); break;
            case (byte)'a': Append([Pop()]); break;
            case (byte)'e' or 0x90: Append(PopToMark()); break;
            case 0x8f: Push(new List<object?>()); break;
            case 0x91: Push(PopToMark()); break;

            case (byte)')': Push(Array.Empty<object?>()); break;
            case 0x85: PushTuple(1); break;
            case 0x86: PushTuple(2); break;
            case 0x87: PushTuple(3); break;
            case (byte)'t': Push(PopToMark().ToArray()); break;

            case (byte)'}': Push(new PickleMap()); break;
            case (byte)'d': SetItems(new PickleMap(), PopToMark(), push: true); break;
            case (byte)'s':
                object? value = Pop(), key = Pop();
                SetItems(Top(), [key, value], push: false);
                break;
            case (byte)'u':
                List<object?> pairs = PopToMark();
                SetItems(Top(), pairs, push: false);
                break;

            case (byte)'c': Push(globals.Resolve(new PickleGlobal(Line(), Line()))); break;
            case 0x93:
                object? name = Pop();
                Push(Pop() is string module && name is string member
                    ? globals.Resolve(new PickleGlobal(module, member))
                    : throw Bad("it names something by values that are not strings"));
                break;
            case (byte)'R' or 0x81:
                object? arguments = Pop();
                Push(Call(Pop(), arguments));
                break;
            case (byte)'b':
                object? state = Pop();
                Push(globals.Build(Pop(), state));
                break;
            case (byte)'P': Push(persistent(Line())); break;
            case (byte)'Q': Push(persistent(Pop())); break;

            case (byte)'p': _memo[Index(Line())] = Top(); break;
            case (byte)'q': _memo[Take(1)[0]] = Top(); break;
            case (byte)'r': _memo[Length(4)] = Top(); break;
            case 0x94: _memo[_memo.Count] = Top(); break;
            case (byte)'g': Push(Recall(Index(Line()))); break;
            case (byte)'h': Push(Recall(Take(1)[0])); break;
            case (byte)'j': Push(Recall(Length(4))); break;

            case (byte)'i' or (byte)'o' or 0x92 or 0x82 or 0x83 or 0x84 or 0x97 or 0x98:
                throw Bad(string.Create(CultureInfo.InvariantCulture, $"it builds an object in a way that no file of tensors needs (operation 0x{code:x2}); nothing was run. Convert it to safetensors where it was made"));
            default:
                throw Bad(string.Create(CultureInfo.InvariantCulture, $"byte 0x{code:x2} at {Position - 1} is no pickle operation: it is damaged, or not a pickle"));
        }
    }

    private object? Call(object? function, object? arguments) => arguments is object?[] list
        ? globals.Call(function as PickleGlobal ?? throw Bad("it calls something that is not a name"), list)
        : throw Bad("it calls something with arguments that are not a tuple");

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count > bytes.Length - Position)
            throw Bad($"its pickle ends at byte {bytes.Length} in the middle of a value: it was cut off, or is damaged");
        ReadOnlySpan<byte> taken = bytes.Slice(Position, count).Span;
        Position += count;
        return taken;
    }

    private long Length(int width)
    {
        ReadOnlySpan<byte> field = Take(width);
        ulong length = width == 4 ? BinaryPrimitives.ReadUInt32LittleEndian(field) : BinaryPrimitives.ReadUInt64LittleEndian(field);
        return length <= (ulong)bytes.Length ? (long)length : throw Bad($"its pickle claims a value of {length} bytes in {bytes.Length}");
    }

    private string Utf8(long length) => Encoding.UTF8.GetString(Take(length));

    private string Line()
    {
        ReadOnlySpan<byte> rest = bytes.Slice(Position, bytes.Length - Position).Span;
        int end = rest.IndexOf((byte)'\n');
        if (end < 0)
            throw Bad("its pickle ends in the middle of a line: it was cut off");
        Position += end + 1;
        return Encoding.Latin1.GetString(rest[..end]);
    }

    private object Int(string text) => text switch
    {
        "00" => false,
        "01" => true,
        _ => Number(text),
    };

    private object Number(string text) =>
        text.Length <= LongestNumber && BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger number)
            ? Narrow(number)
            : throw Bad("it holds a damaged number");

    private object Number(ReadOnlySpan<byte> twosComplement) => twosComplement.Length <= LongestNumber
        ? Narrow(new BigInteger(twosComplement))
        : throw Bad($"it holds a whole number of {twosComplement.Length} bytes");

    private static object Narrow(BigInteger number) => number >= long.MinValue && number <= long.MaxValue ? (object)(long)number : number;

    private double Float(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : throw Bad("it holds a damaged number");

    private int Index(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? index : throw Bad("it refers to a value by a damaged number");

    /// <summary>Protocol 0 writes \uXXXX in unicode strings and \xXX in byte strings; the rest stands for itself.</summary>
    private static string Unescaped(string text)
    {
        if (!text.Contains('\\'))
            return text;
        StringBuilder plain = new();
        for (int i = 0; i < text.Length; i++)
        {
            int digits = text[i] != '\\' || i + 1 == text.Length ? 0 : text[i + 1] switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
            if (digits > 0 && i + 2 + digits <= text.Length
                && int.TryParse(text.AsSpan(i + 2, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code)
                && code is >= 0 and <= 0x10FFFF and not (>= 0xD800 and <= 0xDFFF))
            {
                plain.Append(char.ConvertFromUtf32(code));
                i += 1 + digits;
            }
            else if (digits == 0 && text[i] == '\\' && i + 1 < text.Length)
            {
                plain.Append(text[++i] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', char other => other });
            }
            else
            {
                plain.Append(text[i]);
            }
        }
        return plain.ToString();
    }

    private void Push(object? value) => _stack.Add(value);

    private object? Top() => _stack.Count > 0 && _stack[^1] != Mark ? _stack[^1] : throw Bad("its pickle takes a value that is not there: it is damaged");

    private object? Pop()
    {
        object? value = Top();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private List<object?> PopToMark()
    {
        int mark = _stack.LastIndexOf(Mark);
        if (mark < 0)
            throw Bad("its pickle ends a group that it did not begin: it is damaged");
        List<object?> values = _stack.GetRange(mark + 1, _stack.Count - mark - 1);
        _stack.RemoveRange(mark, _stack.Count - mark);
        return values;
    }

    private void PushTuple(int count)
    {
        object?[] tuple = new object?[count];
        for (int i = count - 1; i >= 0; i--)
            tuple[i] = Pop();
        Push(tuple);
    }

    private void Append(List<object?> values)
    {
        if (Top() is not List<object?> list)
            throw Bad("its pickle appends to something that is not a list: it is damaged");
        list.AddRange(values);
    }

    private void SetItems(object? target, List<object?> pairs, bool push)
    {
        if (target is not PickleMap map || pairs.Count % 2 != 0)
            throw Bad("its pickle sets a key of something that is not a dictionary: it is damaged");
        for (int i = 0; i < pairs.Count; i += 2)
            map.Set(pairs[i], pairs[i + 1]);
        if (push)
            Push(map);
    }

    private object? Recall(long index) =>
        _memo.TryGetValue(index, out object? value) ? value : throw Bad("its pickle refers to a value that is not there: it is damaged");

    private InputException Bad(string problem) => new($"{description}: cannot be read", [problem]);
}
