using System.Runtime.InteropServices;

namespace Lorikeet.Kernels.Tests;

[Collection(nameof(ComputePool))]
public sealed unsafe class ComputePoolTests : IDisposable
{
    private readonly int _threads = ComputePool.Threads;

    public void Dispose() => ComputePool.Threads = _threads;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void Every_part_runs_exactly_once(int threads)
    {
        ComputePool.Threads = threads;
        foreach (int parts in new[] { 0, 1, 2, 3, 5, 8, 64, 1000 })
        {
            int[] counts = new int[parts + 1];
            fixed (int* p = counts)
                ComputePool.Run(&Count, p, parts);
            counts.AsSpan(0, parts).ToArray().ShouldAllBe(n => n == 1);
            counts[parts].ShouldBe(0);
        }
    }

    [Fact]
    public void One_thread_runs_everything_on_the_caller()
    {
        ComputePool.Threads = 1;
        int* ids = stackalloc int[16];
        ComputePool.Run(&NoteThread, ids, 16);
        new Span<int>(ids, 16).ToArray().ShouldAllBe(id => id == Environment.CurrentManagedThreadId);
    }

    [Fact]
    public void Several_threads_take_part()
    {
        ComputePool.Threads = 3;
        var meeting = new Meeting { Missing = 3 };
        ComputePool.Run(&Meet, &meeting, 3);
        meeting.Missing.ShouldBe(0);
    }

    [Fact]
    public void A_run_inside_a_part_stays_on_its_thread()
    {
        ComputePool.Threads = 3;
        int* results = stackalloc int[6];
        ComputePool.Run(&Nested, results, 6);
        new Span<int>(results, 6).ToArray().ShouldAllBe(r => r == 1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_parts_exception_reaches_the_caller_and_the_pool_goes_on(int threads)
    {
        ComputePool.Threads = threads;
        for (int round = 0; round < 50; round++)
        {
            Should.Throw<InvalidOperationException>(() => ComputePool.Run(&Fail, null, 20)).Message.ShouldBe("part 7");
            int[] counts = new int[20];
            fixed (int* p = counts)
                ComputePool.Run(&Count, p, 20);
            counts.ShouldAllBe(n => n == 1);
        }
    }

    [Fact]
    public void Small_jobs_in_quick_succession_never_mix()
    {
        ComputePool.Threads = 4;
        long* cells = stackalloc long[9];
        for (long job = 1; job <= 20_000; job++)
        {
            int parts = (int)(job % 8) + 1;
            cells[0] = job;
            ComputePool.Run(&Stamp, cells, parts);
            for (int i = 1; i <= parts; i++)
            {
                if (cells[i] != job * 10 + i - 1)
                    Assert.Fail($"job {job}: part {i - 1} left {cells[i]}");
            }
        }
    }

    [Fact]
    public void Callers_on_several_threads_do_not_wait_for_each_other()
    {
        ComputePool.Threads = 3;
        var callers = new Thread[4];
        int wrong = 0;
        for (int c = 0; c < callers.Length; c++)
        {
            callers[c] = new Thread(() =>
            {
                long* cells = stackalloc long[9];
                for (long job = 1; job <= 2_000; job++)
                {
                    cells[0] = job;
                    ComputePool.Run(&Stamp, cells, 8);
                    for (int i = 1; i <= 8; i++)
                    {
                        if (cells[i] != job * 10 + i - 1)
                            Interlocked.Increment(ref wrong);
                    }
                }
            });
            callers[c].Start();
        }
        foreach (Thread caller in callers)
            caller.Join();
        wrong.ShouldBe(0);
    }

    [Fact]
    public void A_sleeping_pool_wakes()
    {
        ComputePool.Threads = 3;
        using var never = new ManualResetEvent(false);
        for (int round = 0; round < 5; round++)
        {
            var meeting = new Meeting { Missing = 3 };
            ComputePool.Run(&Meet, &meeting, 3);
            meeting.Missing.ShouldBe(0);
            never.WaitOne(3); // far longer than the pool spins
        }
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        ComputePool.Threads = 3;
        long* cells = stackalloc long[9];
        ComputePool.Run(&Stamp, cells, 8);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            ComputePool.Run(&Stamp, cells, 8);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void A_count_of_threads_outside_the_range_is_refused()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => ComputePool.Threads = 0);
        Should.Throw<ArgumentOutOfRangeException>(() => ComputePool.Threads = ComputePool.MaxThreads + 1);
    }

    private static void Count(void* context, int part) => Interlocked.Increment(ref ((int*)context)[part]);

    private static void NoteThread(void* context, int part) => ((int*)context)[part] = Environment.CurrentManagedThreadId;

    private static void Stamp(void* context, int part)
    {
        long* cells = (long*)context;
        cells[part + 1] = cells[0] * 10 + part;
    }

    private static void Fail(void* context, int part)
    {
        if (part == 7)
            throw new InvalidOperationException("part 7");
    }

    private static void Nested(void* context, int part)
    {
        int* ids = stackalloc int[5];
        ComputePool.Run(&NoteThread, ids, 5);
        ((int*)context)[part] = new Span<int>(ids, 5).Count(Environment.CurrentManagedThreadId) == 5 ? 1 : 0;
    }

    /// <summary>Ends only when as many threads as there are parts are inside at once.</summary>
    private static void Meet(void* context, int part)
    {
        var meeting = (Meeting*)context;
        Interlocked.Decrement(ref meeting->Missing);
        SpinWait.SpinUntil(() => Volatile.Read(ref meeting->Missing) == 0, 30_000);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Meeting
    {
        public int Missing;
    }
}
