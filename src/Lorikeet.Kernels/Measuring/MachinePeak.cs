using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Lorikeet.Kernels.Assembled;

namespace Lorikeet.Kernels;

/// <summary>Measures the machine: multiply-adds from registers, and memory reads. The best of several short runs counts, for others may be using the machine.</summary>
public static unsafe class MachinePeak
{
    private const int Chains = 12;
    private const int Turns = 50_000;

    /// <summary>Measures everything.</summary>
    /// <param name="quick">Within half a second; else about two seconds, less disturbed by other work on the machine.</param>
    public static MachineSpeed Measure(bool quick = true)
    {
        int threads = ComputePool.Threads;
        long budget = Stopwatch.Frequency / (quick ? 25 : 5);
        long footprint = BeyondCaches();
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)footprint, 4096);
        try
        {
            Touch(memory, footprint);
            return new MachineSpeed(
                threads,
                Fma(1, budget),
                Fma(threads, budget),
                Read(memory, footprint, 1, budget),
                Read(memory, footprint, threads, budget))
            {
                BF16OneCore = Dots(TileKind.BF16, 1, budget),
                BF16AllCores = Dots(TileKind.BF16, threads, budget),
                Int8OneCore = Dots(TileKind.Bytes, 1, budget),
                Int8AllCores = Dots(TileKind.Bytes, threads, budget),
            };
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    /// <summary>Single-precision multiply-adds from registers, in 10⁹ operations a second (two to each multiply-add).</summary>
    /// <param name="threads">How many threads of the <see cref="ComputePool"/> run at once.</param>
    /// <param name="seconds">How long to measure.</param>
    public static double FmaPeak(int threads, double seconds = 0.04) => Fma(threads, (long)(seconds * Stopwatch.Frequency));

    /// <summary>Measures the peaks beside a product once more: the greater figures count.</summary>
    internal static GemmRate Around(GemmRate known, GemmPrecision precision, int threads, double seconds)
    {
        double fma = Math.Max(known.Fma, FmaPeak(threads, seconds)), dots = precision switch
        {
            GemmPrecision.BF16 => Dots(TileKind.BF16, threads, (long)(seconds * Stopwatch.Frequency)),
            GemmPrecision.Int8 => Dots(TileKind.Bytes, threads, (long)(seconds * Stopwatch.Frequency)),
            _ => fma,
        };
        return known with { Fma = fma, Dots = Math.Max(known.Dots, dots > 0 ? dots : fma) };
    }

    /// <summary>Reading a block of memory again and again, in 10⁹ bytes a second: of memory where it is larger than all caches, else of the cache that holds it.</summary>
    /// <param name="footprint">Bytes of the block.</param>
    /// <param name="threads">How many threads read, each its own share.</param>
    /// <param name="seconds">How long to measure.</param>
    public static double ReadBandwidth(long footprint, int threads, double seconds = 0.04)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(footprint, 4096);
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)footprint, 4096);
        try
        {
            Touch(memory, footprint);
            return Read(memory, footprint, threads, (long)(seconds * Stopwatch.Frequency));
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    /// <summary>Reading memory that no cache holds, in 10⁹ bytes a second.</summary>
    /// <param name="threads">How many threads read, each its own share.</param>
    /// <param name="seconds">How long to measure.</param>
    public static double MemoryBandwidth(int threads, double seconds = 0.04) => ReadBandwidth(BeyondCaches(), threads, seconds);

    /// <summary>Four times the last cache, where the system tells its size, and at least 128 MiB.</summary>
    internal static long BeyondCaches()
    {
        long last = 0;
        for (int level = 2; level < 5; level++)
        {
            string file = $"/sys/devices/system/cpu/cpu0/cache/index{level}/size";
            try
            {
                string text = File.ReadAllText(file).Trim();
                long unit = text.EndsWith('K') ? 1024 : text.EndsWith('M') ? 1024 * 1024 : 1;
                if (long.TryParse(text.TrimEnd('K', 'M'), NumberStyles.None, CultureInfo.InvariantCulture, out long size))
                    last = Math.Max(last, size * unit);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                break;
            }
        }
        return Math.Clamp(4 * last, 128L << 20, 512L << 20);
    }

    private static double Fma(int threads, long budget)
    {
        FmaJob job = default;
        return Best(&RunFma, &job, threads, budget, 2.0 * Chains * Turns * threads * Lanes());
    }

    /// <summary>Dot products from registers, in 10⁹ operations a second; 0 where the processor has none, or the system lets no assembled code run.</summary>
    private static double Dots(TileKind kind, int threads, long budget)
    {
        if (Isa.WhyNotAssembled is not null || !(kind == TileKind.BF16 ? ProcessorFeatures.Avx512BF16 : ProcessorFeatures.Avx512Vnni))
            return 0;
        ref nint code = ref kind == TileKind.BF16 ? ref _bf16Loop : ref _bytesLoop;
        if (code == 0)
            code = PeakAssembler.Loop(kind).Publish();
        DotJob job = new() { Code = code, Turns = Turns / 4 };
        double perTurn = PeakAssembler.Chains * (kind == TileKind.BF16 ? 16 * 4.0 : 16 * 8.0);
        return Best(&RunDots, &job, threads, budget, perTurn * job.Turns * threads);
    }

    private static nint _bf16Loop, _bytesLoop;

    private struct DotJob
    {
        public nint Code, Turns;
    }

    private static void RunDots(void* context, int part)
    {
        var job = (DotJob*)context;
        nint turns = job->Turns;
        ((delegate* unmanaged[SuppressGCTransition]<nint*, void>)job->Code)(&turns);
    }

    private static double Read(byte* memory, long bytes, int threads, long budget)
    {
        ReadJob job = new() { Memory = memory, Bytes = bytes / threads & ~255L };
        return Best(&RunRead, &job, threads, budget, job.Bytes * threads);
    }

    /// <summary>Reads a block of memory once with all threads of the <see cref="ComputePool"/>.</summary>
    internal static void ReadOnce(byte* memory, long bytes)
    {
        int threads = ComputePool.Threads;
        ReadJob job = new() { Memory = memory, Bytes = bytes / threads & ~255L };
        ComputePool.Run(&RunRead, &job, threads);
    }

    /// <summary>The greatest rate of at least three runs, in 10⁹ a second.</summary>
    private static double Best(delegate*<void*, int, void> body, void* job, int threads, long budget, double amount)
    {
        int before = ComputePool.Threads;
        ComputePool.Threads = Math.Max(threads, before);
        double best = 0;
        long began = Stopwatch.GetTimestamp();
        for (int run = 0; run < 3 || Stopwatch.GetTimestamp() - began < budget; run++)
        {
            long start = Stopwatch.GetTimestamp();
            ComputePool.Run(body, job, threads);
            best = Math.Max(best, amount / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }
        ComputePool.Threads = before;
        return best;
    }

    internal static void Touch(byte* memory, long bytes) => new Span<byte>(memory, (int)Math.Min(bytes, int.MaxValue)).Fill(1);

    private static int Lanes() => Isa.Widest switch
    {
        KernelTier.Vector512 => Lanes512.Count,
        KernelTier.Vector256 => Lanes256.Count,
        _ => Lanes128.Count,
    };

    private struct FmaJob
    {
        public float Sum;
    }

    private struct ReadJob
    {
        public byte* Memory;
        public long Bytes;
        public float Sum;
    }

    private static void RunFma(void* context, int part)
    {
        float sum = Isa.Widest switch
        {
            KernelTier.Vector512 => FmaChains<Vector512<float>, Lanes512>(Turns),
            KernelTier.Vector256 => FmaChains<Vector256<float>, Lanes256>(Turns),
            _ => FmaChains<Vector128<float>, Lanes128>(Turns),
        };
        if (sum == 0)
            ((FmaJob*)context)->Sum = sum;
    }

    private static void RunRead(void* context, int part)
    {
        var job = (ReadJob*)context;
        byte* from = job->Memory + part * job->Bytes;
        float sum = Isa.Widest switch
        {
            KernelTier.Vector512 => ReadAll<Vector512<float>, Lanes512>((float*)from, job->Bytes / sizeof(float)),
            KernelTier.Vector256 => ReadAll<Vector256<float>, Lanes256>((float*)from, job->Bytes / sizeof(float)),
            _ => ReadAll<Vector128<float>, Lanes128>((float*)from, job->Bytes / sizeof(float)),
        };
        if (sum == 0)
            job->Sum = sum;
    }

    /// <summary>Twelve chains that do not wait for each other: as many as two units of latency four, and more, can take.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float FmaChains<TVector, TLanes>(int turns)
        where TVector : struct
        where TLanes : struct, IGemmLanes<TVector>
    {
        TVector x = TLanes.Broadcast(1), y = TLanes.Broadcast(1e-9f);
        TVector a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (; turns > 0; turns--)
        {
            a = TLanes.MultiplyAdd(x, y, a);
            b = TLanes.MultiplyAdd(x, y, b);
            c = TLanes.MultiplyAdd(x, y, c);
            d = TLanes.MultiplyAdd(x, y, d);
            e = TLanes.MultiplyAdd(x, y, e);
            f = TLanes.MultiplyAdd(x, y, f);
            g = TLanes.MultiplyAdd(x, y, g);
            h = TLanes.MultiplyAdd(x, y, h);
            i = TLanes.MultiplyAdd(x, y, i);
            j = TLanes.MultiplyAdd(x, y, j);
            k = TLanes.MultiplyAdd(x, y, k);
            l = TLanes.MultiplyAdd(x, y, l);
        }
        TVector left = TLanes.Add(TLanes.Add(TLanes.Add(a, b), TLanes.Add(c, d)), TLanes.Add(e, f));
        TVector right = TLanes.Add(TLanes.Add(TLanes.Add(g, h), TLanes.Add(i, j)), TLanes.Add(k, l));
        return TLanes.Sum(TLanes.Add(left, right));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float ReadAll<TVector, TLanes>(float* from, long floats)
        where TVector : struct
        where TLanes : struct, IGemmLanes<TVector>
    {
        TVector a = TLanes.Zero, b = a, c = a, d = a;
        int step = TLanes.Count;
        float* end = from + floats - 4 * step;
        for (; from <= end; from += 4 * step)
        {
            a = TLanes.Add(a, TLanes.Load(from));
            b = TLanes.Add(b, TLanes.Load(from + step));
            c = TLanes.Add(c, TLanes.Load(from + 2 * step));
            d = TLanes.Add(d, TLanes.Load(from + 3 * step));
        }
        return TLanes.Sum(TLanes.Add(TLanes.Add(a, b), TLanes.Add(c, d)));
    }
}
