namespace Lorikeet.Kernels.Tests;

public sealed unsafe class GemmPackTests
{
    /// <summary>Tiles multiply every column of a panel. Denormals that memory held before make such products a hundred times as slow.</summary>
    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F16)]
    [InlineData(DType.Q8_0)]
    public void No_column_of_a_panel_holds_what_memory_held_before(DType type)
    {
        const int k = 96, most = 70;
        byte[] stored = new byte[type.Bytes((long)k * 128)];
        float[] ones = [.. Enumerable.Repeat(1f, k * 128)];
        fixed (float* from = ones)
        fixed (byte* x = stored)
        {
            BlockFormats.Quantize(type, from, ones.Length, x);
            foreach (bool transposed in new[] { false, true })
            {
                foreach (bool wide in new[] { false, true })
                {
                    for (int rows = 1; rows < most; rows++)
                        Check(new GemmOperand(x, type, transposed ? 128 : k, transposed), rows, k, wide);
                }
            }
        }
    }

    private static void Check(GemmOperand x, int rows, int k, bool wide)
    {
        foreach (int width in new[] { 8, 16, 32 })
        {
            int panels = (rows + width - 1) / width;
            float[] packed = [.. Enumerable.Repeat(float.Epsilon, panels * width * k + GemmPack.Slack)];
            float[] scratch = new float[GemmPack.ScratchFloats(x, rows, k)];
            fixed (float* to = packed, spare = scratch)
                GemmPack.Panels(x, 0, rows, 0, k, 1, to, width, (nint)width * k, wide, spare);
            packed.AsSpan(0, panels * width * k).Contains(float.Epsilon).ShouldBeFalse($"{x.Type}, transposed {x.Transposed}, {rows} rows in panels of {width}");
        }
    }
}
