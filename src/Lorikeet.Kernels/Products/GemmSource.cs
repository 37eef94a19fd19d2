using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>A storage type that is widened in registers.</summary>
internal unsafe interface IGemmSource
{
    /// <summary>Bytes of one element.</summary>
    static abstract int Bytes { get; }
    static abstract float Load(byte* from);
    static abstract TVector Load<TVector, TLanes>(byte* from)
        where TVector : struct
        where TLanes : struct, IGemmLanes<TVector>;
}

internal readonly unsafe struct F32Source : IGemmSource
{
    public static int Bytes => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* from) => *(float*)from;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TVector, TLanes>(byte* from)
        where TVector : struct
        where TLanes : struct, IGemmLanes<TVector>
        => TLanes.Load((float*)from);
}

internal readonly unsafe struct BF16Source : IGemmSource
{
    public static int Bytes => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* from) => BF16.ToSingle(*(ushort*)from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TVector, TLanes>(byte* from)
        where TVector : struct
        where TLanes : struct, IGemmLanes<TVector>
        => TLanes.LoadBF16((ushort*)from);
}

internal readonly unsafe struct F16Source : IGemmSource
{
    public static int Bytes => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* from) => F16.ToSingle(*(ushort*)from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TVector, TLanes>(byte* from)
        where TVector : struct
        where TLanes : struct, IGemmLanes<TVector>
        => TLanes.LoadF16((ushort*)from);
}
