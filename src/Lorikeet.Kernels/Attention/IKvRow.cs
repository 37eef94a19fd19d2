using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>How a cached row is stored: widened in registers. Scales of integers are left to the caller, who has a better place for them than each number.</summary>
internal unsafe interface IKvRow
{
    /// <summary>Bytes of a number.</summary>
    static abstract int Bytes { get; }
    static abstract float Load(byte* from);
    static abstract V Load<S, V, D>(byte* from)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged;
}

internal readonly unsafe struct KvF32 : IKvRow
{
    public static int Bytes => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* from) => *(float*)from;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<S, V, D>(byte* from)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.Load((float*)from);
}

internal readonly unsafe struct KvBF16 : IKvRow
{
    public static int Bytes => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* from) => BF16.ToSingle(*(ushort*)from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<S, V, D>(byte* from)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.LoadBF16((ushort*)from);
}

internal readonly unsafe struct KvI8 : IKvRow
{
    public static int Bytes => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* from) => *(sbyte*)from;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<S, V, D>(byte* from)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.LoadI8((sbyte*)from);
}
