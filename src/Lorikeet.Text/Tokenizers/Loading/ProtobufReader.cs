using System.Buffers.Binary;
using System.Text;

namespace Lorikeet.Text;

/// <summary>Reads the fields of a protocol buffers message; every length is checked against what is there.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message, string source, int offset)
{
    private static readonly UTF8Encoding Lenient = new(false);

    private readonly ReadOnlySpan<byte> _message = message;
    private int _at;

    /// <summary>Number of the field read last.</summary>
    public int Field { get; private set; }

    /// <summary>How its value is stored: 0 a number of varying length, 1 eight bytes, 2 bytes with their length, 5 four bytes.</summary>
    public int WireType { get; private set; }

    /// <summary>Goes on to the next field; false at the end.</summary>
    /// <exception cref="TokenizerException">The message is broken.</exception>
    public bool Next()
    {
        if (_at == _message.Length)
            return false;
        ulong key = Varint();
        Field = (int)Math.Min(key >> 3, int.MaxValue);
        WireType = (int)(key & 7);
        return Field > 0 ? true : throw Broken("a field without a number");
    }

    /// <summary>A number of varying length.</summary>
    public ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            if (_at >= _message.Length)
                throw Broken("it ends within a number");
            byte part = _message[_at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }
        throw Broken("a number of more than ten bytes");
    }

    /// <summary>A field that is a number; what is stored otherwise is skipped.</summary>
    public int Number(int whenOther)
    {
        if (WireType == 0)
            return unchecked((int)Varint());
        Skip();
        return whenOther;
    }

    /// <summary>A field that is true or false.</summary>
    public bool Flag(bool whenOther) => Number(whenOther ? 1 : 0) != 0;

    /// <summary>A field that is a number of four bytes; what is stored otherwise is skipped.</summary>
    public float Single()
    {
        if (WireType == 5)
            return BinaryPrimitives.ReadSingleLittleEndian(Take(4));
        Skip();
        return 0;
    }

    /// <summary>A field that is bytes; what is stored otherwise is skipped and empty.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        if (WireType != 2)
        {
            Skip();
            return [];
        }
        ulong length = Varint();
        return length <= (ulong)(_message.Length - _at) ? Take((int)length) : throw Broken($"a field of {length} bytes, but {_message.Length - _at} are left");
    }

    /// <summary>A field that is text; broken UTF-8 becomes U+FFFD.</summary>
    public string Text() => Lenient.GetString(Bytes());

    /// <summary>A field that is a message.</summary>
    public ProtobufReader Message()
    {
        ReadOnlySpan<byte> bytes = Bytes();
        return new(bytes, source, offset + _at - bytes.Length);
    }

    /// <summary>Leaves the value out.</summary>
    public void Skip()
    {
        switch (WireType)
        {
            case 0:
                Varint();
                break;
            case 1:
                Take(8);
                break;
            case 2:
                Bytes();
                break;
            case 5:
                Take(4);
                break;
            default:
                throw Broken($"field {Field} is stored in the unknown way {WireType}");
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _message.Length - _at)
            throw Broken($"it ends within a field of {count} bytes");
        ReadOnlySpan<byte> bytes = _message.Slice(_at, count);
        _at += count;
        return bytes;
    }

    private readonly TokenizerException Broken(string what) =>
        new(source, $"byte {offset + _at}: this is not a SentencePiece model, or it is damaged: {what}");
}
