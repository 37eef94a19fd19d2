using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>A view of a storage: sizes and strides in elements, as the pickle gives them.</summary>
internal sealed record TorchTensor(TorchStorage Storage, DType Type, long Offset, long[] Sizes, long[] Strides)
{
    /// <summary>Most bytes that a tensor may take beyond those that its storage holds (a row that was expanded to a matrix).</summary>
    private const long MostExpansion = 64 << 20;

    /// <summary>What is wrong with the view; null where it lies inside its storage.</summary>
    public string? Problem()
    {
        if (Sizes.Length != Strides.Length)
            return $"has {Sizes.Length} sizes but {Strides.Length} strides";
        if (Offset < 0 || Sizes.Any(size => size < 0) || Strides.Any(stride => stride < 0))
            return "has a negative size, stride or offset";
        try
        {
            long elements = Sizes.Aggregate(1L, (product, size) => checked(product * size));
            if (elements == 0)
                return null;
            int bytes = Type.BlockBytes();
            long available = checked(Storage.Elements * Storage.Type.BlockBytes()) / bytes;
            long last = Offset;
            for (int i = 0; i < Sizes.Length; i++)
                last = checked(last + (Sizes[i] - 1) * Strides[i]);
            if (last >= available)
                return $"reaches element {last} of a storage of {available}";
            if (elements > available && checked(elements * bytes) > MostExpansion)
                return $"expands {available} stored elements to {elements}";
            return null;
        }
        catch (OverflowException)
        {
            return "has sizes or strides that overflow 64 bits";
        }
    }

    /// <summary>
    /// The contents row-major: the storage's own bytes where they lie so, else a copy. Call only when <see cref="Problem"/> found nothing.
    /// </summary>
    public StoredTensor Read(string name)
    {
        int size = Type.BlockBytes();
        long elements = Sizes.Aggregate(1L, (product, n) => product * n);
        NativeBytes bytes = elements == 0 ? Storage.Bytes!.Value.Slice(0, 0)
            : IsContiguous() ? Storage.Bytes!.Value.Slice(Offset * size, elements * size)
            : Gathered(size, elements);
        return new StoredTensor(name, Type, Sizes, bytes);
    }

    private bool IsContiguous()
    {
        long expected = 1;
        for (int i = Sizes.Length - 1; i >= 0; i--)
        {
            if (Sizes[i] != 1 && Strides[i] != expected)
                return false;
            expected *= Sizes[i];
        }
        return true;
    }

    private NativeBytes Gathered(int size, long elements)
    {
        NativeBytes source = Storage.Bytes!.Value;
        NativeBuffer target = new(elements * size, zeroed: false);
        long[] index = new long[Sizes.Length];
        int last = Sizes.Length - 1;
        long from = Offset, row = Sizes[last], stride = Strides[last];
        for (long at = 0; at < elements; at += row)
        {
            for (long i = 0; i < row; i++)
                source.Slice((from + i * stride) * size, size).Span.CopyTo(target.Writable((at + i) * size, size));
            // the next row: count up the outer indices
            for (int axis = last - 1; axis >= 0; axis--)
            {
                from += Strides[axis];
                if (++index[axis] < Sizes[axis])
                    break;
                from -= Strides[axis] * Sizes[axis];
                index[axis] = 0;
            }
        }
        return target.Bytes;
    }
}
