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
    public void What_is_forgotten_is_the_systems_and_comes_back_as_zeros()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "resident memory is read from /proc");
        const int bytes = 64 << 20, from = 100;
        byte* memory = (byte*)LargeMemory.Allocate(bytes, zeroed: false);
        Span<byte> all = new(memory, bytes);
        all.Fill(1);
        long before = Resident();
        LargeMemory.Forget(memory + from, bytes - from);
        (before - Resident()).ShouldBeGreaterThan(bytes * 3 / 4);
        all[..from].ContainsAnyExcept((byte)1).ShouldBeFalse();
        all[(1 << 16)..].ContainsAnyExcept((byte)0).ShouldBeFalse();
        LargeMemory.Free(memory, bytes);
    }

    private static long Resident() =>
        1024 * long.Parse(File.ReadLines("/proc/self/status").Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))[6..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
}
