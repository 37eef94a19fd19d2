namespace Lorikeet.Kernels;

/// <summary>Rows of <see cref="KvRowKernel.Write"/>.</summary>
internal unsafe struct KvWriteJob
{
    public KvWriteCall* Call;
    public int PartRows;

    /// <summary>Does one part.</summary>
    public static void Part(void* context, int part)
    {
        KvWriteJob* job = (KvWriteJob*)context;
        KvWriteCall* call = job->Call;
        KvLayout layout = call->Layout;
        int first = part * job->PartRows, last = Math.Min(first + job->PartRows, call->Rows);
        for (int row = first; row < last; row++)
        {
            int at = call->At + row;
            byte* page = call->Pages[at / KvLayout.Rows];
            float* k = call->K + row * call->LdK, v = call->V + row * call->LdV;
            for (int head = 0; head < layout.Heads; head++)
            {
                Row(layout.Type, k + (long)head * layout.KeyDim, layout.KeyDim, page + layout.KeysAt(call->Layer, head), at % KvLayout.Rows);
                Row(layout.Type, v + (long)head * layout.ValueDim, layout.ValueDim, page + layout.ValuesAt(call->Layer, head), at % KvLayout.Rows);
            }
        }
    }

    private static void Row(DType type, float* x, int dim, byte* head, int at)
    {
        if (type == DType.F32)
            new Span<float>(x, dim).CopyTo(new Span<float>((float*)head + (long)at * dim, dim));
        else if (type == DType.BF16)
            BF16.Narrow(x, dim, head + 2L * at * dim);
        else
            KvRowKernel.Narrow(x, dim, (sbyte*)head + (long)at * dim, (float*)(head + (long)KvLayout.Rows * dim) + at);
    }
}
