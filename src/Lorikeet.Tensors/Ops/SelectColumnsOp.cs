namespace Lorikeet.Tensors;

/// <summary>Columns of a matrix as rows.</summary>
public static unsafe class SelectColumnsOp
{
    /// <summary><c>y[i, j] = x[j, ids[i]]</c>: rows of a table that is stored turned (LoRA's A on embeddings).</summary>
    /// <param name="tape">The step.</param>
    /// <param name="x"><c>[rank, vocabulary]</c>, f32.</param>
    /// <param name="ids"><c>[n]</c> i32.</param>
    /// <returns><c>[n, rank]</c>.</returns>
    public static Tensor SelectColumns(this Tape tape, Tensor x, Tensor ids)
    {
        Check.F32("column selection", x);
        int count = checked((int)ids.Shape.Elements);
        foreach (int id in ids.Integers)
        {
            if ((uint)id >= (uint)x.Columns)
                throw new ArgumentException($"column selection: column {id} of {x}");
        }
        Tensor y = tape.New(new Shape(count, x.Rows));
        for (int i = 0; i < count; i++)
        {
            for (int j = 0; j < x.Rows; j++)
                y.F[i * y.Ld + j] = x.F[j * x.Ld + ids.I[i]];
        }
        if (!tape.Recording || !x.RequiresGrad)
            return y;
        SelectColumnsNode node = tape.Rent<SelectColumnsNode>();
        (node.X, node.Ids) = (x, Tape.Save(ids));
        return tape.Record(node, y);
    }

    private sealed class SelectColumnsNode : Node
    {
        public Tensor X = null!, Ids = null!;

        protected internal override void Backward(Tape tape)
        {
            Tensor dx = tape.GradOf(X, out bool there)!;
            if (!there)
                dx.Fill(0);
            Tensor dy = Output.Grad!;
            for (int i = 0; i < dy.Rows; i++)
            {
                for (int j = 0; j < dy.Columns; j++)
                    dx.F[j * dx.Ld + Ids.I[i]] += dy.F[i * dy.Ld + j];
            }
        }

        protected internal override void Clear() => (X, Ids) = (null!, null!);
    }
}
