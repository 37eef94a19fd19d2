using System.Globalization;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class LargeMemoryTests
{
    [Theory]
    [InlineData(0, true)]
    [InlineData(100, true)]
    [InlineData(LargeMemory.Smallest - 1, true)]
    [InlineData(LargeMemory.Smallest, true)]
    [InlineData(LargeMemory.Smallest + 4097, false)]
    public void Every_byte_can_be_written(long bytes, bool zeroed)
    {
        byte* memory = (byte*)LargeMemory.Allocate(bytes, zeroed);
        ((nint)memory % 64).ShouldBe(0);
        Span<byte> all = new(memory, (int)bytes);
        if (zeroed)
            all.ContainsAnyExcept((byte)0).ShouldBeFalse();
        all.Fill(7);
        LargeMemory.Free(memory, bytes);
        LargeMemory.Free(null, bytes);
    }

    [Fact]
    public void What_is_freed_is_the_systems_again_whatever_lies_behind_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "resident memory is read from /proc");
        const int blocks = 24, bytes = 8 << 20;
        nint[] held = new nint[blocks];
        // a C library that has seen such a block freed would keep those that come after in its heap
        LargeMemory.Free(Touched(), bytes);
        for (int i = 0; i < blocks; i++)
            held[i] = (nint)Touched();
        long before = Resident();
        for (int i = 0; i < blocks - 1; i++)
            LargeMemory.Free((void*)held[i], bytes);
        (before - Resident()).ShouldBeGreaterThan((long)(blocks - 1) * bytes * 3 / 4);
        LargeMemory.Free((void*)held[^1], bytes);

        static void* Touched()
        {
            void* memory = LargeMemory.Allocate(bytes, zeroed: false);
            new Span<byte>(memory, bytes).Fill(1);
            return memory;
        }
    }

    [Fact]
    public void Small_blocks_that_were_freed_go_back_when_the_heap_is_told_so()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.ReadLines("/proc/self/maps").Any(line => line.Contains("/libc.so.6", StringComparison.Ordinal)), "only glibc can be told");
        const int bytes = 100_000, count = 600;
        nint[] blocks = [.. Enumerable.Range(0, count).Select(_ => (nint)LargeMemory.Allocate(bytes, zeroed: true))];
        // the last one holds the end of the heap in its place
        foreach (nint block in blocks[..^1])
            LargeMemory.Free((void*)block, bytes);
        long before = Resident();
        LargeMemory.GiveBackSmall();
        (before - Resident()).ShouldBeGreaterThan((long)bytes * count / 2);
        LargeMemory.Free((void*)blocks[^1], bytes);
    }

    private static long Resident() =>
        1024 * long.Parse(File.ReadLines("/proc/self/status").Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))[6..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
}
