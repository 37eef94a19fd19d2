using System.Runtime.InteropServices;

namespace Lorikeet.Kernels.Tests;

/// <summary>Native floats between two guard zones; disposing it fails the test when a kernel wrote outside.</summary>
internal sealed unsafe class FloatBlock : IDisposable
{
    private const int Guard = 64;
    private const float Canary = -1.2345e33f;
    private readonly float* _block;

    public FloatBlock(long length)
    {
        Length = length;
        _block = (float*)NativeMemory.AlignedAlloc((nuint)(length + 2 * Guard) * sizeof(float), 64);
        new Span<float>(_block, (int)length + 2 * Guard).Fill(Canary);
        Span.Clear();
    }

    public long Length { get; }

    public float* P => _block + Guard;

    public Span<float> Span => new(P, (int)Length);

    public float this[long i] { get => P[i]; set => P[i] = value; }

    public static implicit operator float*(FloatBlock block) => block.P;

    /// <summary>Numbers of about normal distribution (a sum of uniforms).</summary>
    public static FloatBlock Random(int seed, long length, float scale = 1)
    {
        var block = new FloatBlock(length);
        var random = new Random(seed);
        for (long i = 0; i < length; i++)
            block[i] = scale * (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() + random.NextDouble() - 2) * 1.7f;
        return block;
    }

    public FloatBlock Clone()
    {
        var copy = new FloatBlock(Length);
        Span.CopyTo(copy.Span);
        return copy;
    }

    public void ShouldEqualBits(FloatBlock other, string what)
        => MemoryMarshal.Cast<float, int>(Span).SequenceEqual(MemoryMarshal.Cast<float, int>(other.Span)).ShouldBeTrue(what);

    public void ShouldBeClose(FloatBlock expected, double relative, double absolute, string what)
    {
        for (long i = 0; i < Length; i++)
        {
            double a = this[i], e = expected[i];
            if (a.Equals(e) || Math.Abs(a - e) <= relative * Math.Abs(e) + absolute)
                continue;
            Assert.Fail($"{what}: element {i} is {a:R}, expected {e:R}, off by {Math.Abs(a - e):E2}");
        }
    }

    public void Dispose()
    {
        bool whole = true;
        for (int i = 0; i < Guard; i++)
            whole &= _block[i] == Canary && P[Length + i] == Canary;
        NativeMemory.AlignedFree(_block);
        whole.ShouldBeTrue("a kernel wrote outside of its memory");
    }
}
