using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>
/// Runs one piece of work in equal parts on all threads, without allocating. The caller takes part; the other threads are the pool's own,
/// in the background: they spin for a moment after each job (the next kernel is usually microseconds away), then sleep.
/// </summary>
/// <remarks>
/// A job that arrives from inside a part, or while another thread's job is running, runs on its caller alone: nothing ever waits for the pool.
/// </remarks>
public static unsafe class ComputePool
{
    /// <summary>More than this many threads are never started.</summary>
    public const int MaxThreads = 256;

    private static readonly Lock Door = new();
    private static readonly object Asleep = new();
    private static readonly object Waiting = new();
    private static readonly long SpinTicks = Stopwatch.Frequency / 10_000;

    private static Shared _job;
    private static int _threads = Math.Min(Environment.ProcessorCount, MaxThreads);
    private static int _started = 1;
    private static int _sleeping;
    private static bool _callerWaits;
    private static Exception? _failure;

    [ThreadStatic]
    private static bool _inside;

    /// <summary>Threads that take part, the caller's included; at first, the number of processors. With 1 all work runs on its caller.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1 or more than <see cref="MaxThreads"/>.</exception>
    public static int Threads
    {
        get => Volatile.Read(ref _threads);
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxThreads);
            Volatile.Write(ref _threads, value);
        }
    }

    /// <summary>
    /// Calls <paramref name="body"/> once for each part in <c>0 .. parts-1</c> and returns when all are done. Threads claim the parts one by one.
    /// Parts must write disjoint memory: then the result does not depend on the number of threads.
    /// </summary>
    /// <param name="body">A static method; <c>context</c> is handed to it as it is.</param>
    /// <param name="context">Usually the address of a struct on the caller's stack.</param>
    /// <param name="parts">How many parts.</param>
    /// <remarks>An exception thrown by a part is thrown again here, after every part that had begun has ended; parts not yet begun are left out.</remarks>
    public static void Run(delegate*<void*, int, void> body, void* context, int parts)
    {
        int threads = Math.Min(Threads, parts);
        if (threads <= 1 || _inside || !Door.TryEnter())
        {
            for (int part = 0; part < parts; part++)
                body(context, part);
            return;
        }
        _inside = true;
        try
        {
            if (_started < threads)
                Start(threads);
            Publish(body, context, parts, threads);
            uint generation = (uint)(_job.Claim >> 32);
            Work(generation);
            AwaitParts(parts);
            if (_failure is { } failure)
            {
                _failure = null;
                ExceptionDispatchInfo.Throw(failure);
            }
        }
        finally
        {
            _inside = false;
            Door.Exit();
        }
    }

    private static void Publish(delegate*<void*, int, void> body, void* context, int parts, int threads)
    {
        ulong generation = _job.Claim >> 32;
        // closes the last job first: a late thread that read its claim must not find the new job's count of parts and claim once more
        Interlocked.Exchange(ref _job.Claim, generation << 32 | int.MaxValue);
        _job.Body = body;
        _job.Context = context;
        _job.Parts = parts;
        _job.Threads = threads;
        _job.Done = 0;
        // a full fence: a thread that goes to sleep after this sees the new job, one that slept before is counted below
        Interlocked.Exchange(ref _job.Claim, (generation + 1) << 32);
        if (Volatile.Read(ref _sleeping) > 0)
        {
            lock (Asleep)
                Monitor.PulseAll(Asleep);
        }
    }

    /// <summary>Claims and runs parts of one job until none is left. A stale generation claims nothing, so a late thread cannot touch a later job.</summary>
    private static void Work(uint generation)
    {
        while (true)
        {
            ulong claim = Volatile.Read(ref _job.Claim);
            delegate*<void*, int, void> body = _job.Body;
            void* context = _job.Context;
            int parts = _job.Parts;
            int part = (int)(uint)claim;
            if ((uint)(claim >> 32) != generation || part >= parts)
                return;
            if (Interlocked.CompareExchange(ref _job.Claim, claim + 1, claim) != claim)
                continue;
            if (Volatile.Read(ref _failure) is null)
            {
                try
                {
                    body(context, part);
                }
                catch (Exception e)
                {
                    Interlocked.CompareExchange(ref _failure, e, null);
                }
            }
            if (Interlocked.Increment(ref _job.Done) == parts && Volatile.Read(ref _callerWaits))
            {
                lock (Waiting)
                    Monitor.PulseAll(Waiting);
            }
        }
    }

    private static void AwaitParts(int parts)
    {
        long began = 0;
        for (int spins = 0; Volatile.Read(ref _job.Done) != parts; spins++)
        {
            if ((spins & 63) != 63)
            {
                Thread.SpinWait(1);
                continue;
            }
            long now = Stopwatch.GetTimestamp();
            if (began == 0)
                began = now;
            if (now - began < SpinTicks)
                continue;
            // the last part is long, or its thread lost its processor: give ours away
            lock (Waiting)
            {
                Volatile.Write(ref _callerWaits, true);
                Interlocked.MemoryBarrier();
                while (Volatile.Read(ref _job.Done) != parts)
                    Monitor.Wait(Waiting);
                Volatile.Write(ref _callerWaits, false);
            }
            return;
        }
    }

    private static void Start(int threads)
    {
        for (; _started < threads; _started++)
        {
            int index = _started;
            uint generation = (uint)(_job.Claim >> 32);
            new Thread(() => Serve(index, generation)) { IsBackground = true, Name = $"compute {index}" }.Start();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Serve(int index, uint seen)
    {
        _inside = true;
        while (true)
        {
            seen = NextGeneration(seen);
            if (index < Volatile.Read(ref _job.Threads))
                Work(seen);
        }
    }

    private static uint NextGeneration(uint seen)
    {
        long began = 0;
        for (int spins = 0; ; spins++)
        {
            uint generation = (uint)(Volatile.Read(ref _job.Claim) >> 32);
            if (generation != seen)
                return generation;
            if ((spins & 63) != 63)
            {
                Thread.SpinWait(1);
                continue;
            }
            long now = Stopwatch.GetTimestamp();
            if (began == 0)
                began = now;
            if (now - began < SpinTicks)
                continue;
            lock (Asleep)
            {
                Interlocked.Increment(ref _sleeping);
                while ((uint)(Volatile.Read(ref _job.Claim) >> 32) == seen)
                    Monitor.Wait(Asleep);
                Interlocked.Decrement(ref _sleeping);
            }
            began = 0;
        }
    }

    /// <summary>What threads share, each hot word on cache lines of its own (pairs, since processors fetch them in pairs).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 512)]
    private struct Shared
    {
        /// <summary>Generation in the upper half, next unclaimed part in the lower.</summary>
        [FieldOffset(128)]
        public ulong Claim;
        [FieldOffset(256)]
        public int Done;
        [FieldOffset(384)]
        public delegate*<void*, int, void> Body;
        [FieldOffset(392)]
        public void* Context;
        [FieldOffset(400)]
        public int Parts;
        [FieldOffset(404)]
        public int Threads;
    }
}
