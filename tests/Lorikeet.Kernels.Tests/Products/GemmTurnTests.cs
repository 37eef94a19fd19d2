using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class GemmTurnTests
{
    [Fact]
    public void Results_are_turned_to_where_they_belong_and_nothing_else_is_touched()
    {
        Assert.SkipUnless(Vector256.IsHardwareAccelerated, "not on this machine");
        var random = new Random(1);
        for (int round = 0; round < 300; round++)
        {
            int rows = random.Next(1, 40), columns = random.Next(1, 40), pitch = 40 + random.Next(3), stride = rows + random.Next(3);
            bool accumulate = random.Next(2) == 0, biased = random.Next(2) == 0;
            float[] from = Values(random, 40 * pitch), before = Values(random, columns * stride + 3), c = [.. before], bias = Values(random, rows);
            fixed (float* x = from, y = c, z = bias)
                GemmTurn.Store(x, pitch, rows, columns, y, stride, biased ? z : null, accumulate);
            for (int i = 0; i < c.Length; i++)
            {
                (int j, int row) = (i / stride, i % stride);
                float expected = before[i];
                if (row < rows && j < columns)
                {
                    expected = from[row * pitch + j] + (accumulate ? before[i] : 0);
                    expected += biased ? bias[row] : 0;
                }
                c[i].ShouldBe(expected, $"{rows} x {columns}, {j}, {row}");
            }
        }
    }

    private static float[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.NextDouble() - 0.5f)];
}
