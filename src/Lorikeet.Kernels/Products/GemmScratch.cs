namespace Lorikeet.Kernels;

/// <summary>A thread's own memory for packed panels: it grows to the largest product seen and goes with the thread.</summary>
internal sealed unsafe class GemmScratch
{
    [ThreadStatic]
    private static GemmScratch? _mine, _shared;

    private void* _memory;
    private long _floats;

    /// <summary>At least <paramref name="floats"/> floats, 64-byte aligned, valid until this thread's next call.</summary>
    public static float* Rent(long floats) => Rent(_mine ??= new GemmScratch(), floats);

    /// <summary>The same of a second block, which the parts of this thread's product read, whoever runs them.</summary>
    public static float* RentShared(long floats) => Rent(_shared ??= new GemmScratch(), floats);

    private static float* Rent(GemmScratch mine, long floats)
    {
        if (mine._floats < floats)
        {
            LargeMemory.Free(mine._memory, mine._floats * sizeof(float));
            mine._memory = null;
            mine._floats = 0;
            mine._memory = LargeMemory.Allocate(checked(floats * sizeof(float)), zeroed: false);
            mine._floats = floats;
        }
        return (float*)mine._memory;
    }

    ~GemmScratch() => LargeMemory.Free(_memory, _floats * sizeof(float));
}
