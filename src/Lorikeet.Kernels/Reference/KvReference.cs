namespace Lorikeet.Kernels.Reference;

/// <summary>Rows of a cache by plain loops.</summary>
internal static unsafe class KvReference
{
    /// <summary>See <see cref="KvRowKernel.Write"/>.</summary>
    public static void Write(in KvWriteCall call)
    {
        for (int row = 0; row < call.Rows; row++)
        {
            int at = call.At + row;
            byte* page = call.Pages[at / KvLayout.Rows];
            for (int head = 0; head < call.Layout.Heads; head++)
            {
                Write(call.Layout.Type, call.K + row * call.LdK + (long)head * call.Layout.KeyDim, call.Layout.KeyDim,
                    page + call.Layout.KeysAt(call.Layer, head), at % KvLayout.Rows);
                Write(call.Layout.Type, call.V + row * call.LdV + (long)head * call.Layout.ValueDim, call.Layout.ValueDim,
                    page + call.Layout.ValuesAt(call.Layer, head), at % KvLayout.Rows);
            }
        }
    }

    /// <summary>Number i of a row that lies in a head's part of a page.</summary>
    public static float Read(DType type, byte* head, int row, int dim, int i) => type switch
    {
        DType.F32 => ((float*)head)[row * dim + i],
        DType.BF16 => BF16.ToSingle(((ushort*)head)[row * dim + i]),
        _ => ((sbyte*)head)[row * dim + i] * ((float*)(head + KvLayout.Rows * dim))[row],
    };

    private static void Write(DType type, float* x, int dim, byte* head, int row)
    {
        if (type != DType.I8)
        {
            for (int i = 0; i < dim; i++)
            {
                if (type == DType.F32)
                    ((float*)head)[row * dim + i] = x[i];
                else
                    ((ushort*)head)[row * dim + i] = BF16.FromSingle(x[i]);
            }
            return;
        }
        float magnitude = 0;
        for (int i = 0; i < dim; i++)
            magnitude = MathF.Max(magnitude, MathF.Abs(x[i]));
        ((float*)(head + KvLayout.Rows * dim))[row] = !float.IsFinite(magnitude) ? float.NaN : magnitude < KvRowKernel.Least ? 0 : magnitude / 127;
        for (int i = 0; i < dim; i++)
            ((sbyte*)head)[row * dim + i] = float.IsFinite(magnitude) && magnitude >= KvRowKernel.Least ? (sbyte)MathF.Round(x[i] * (127 / magnitude)) : (sbyte)0;
    }
}
