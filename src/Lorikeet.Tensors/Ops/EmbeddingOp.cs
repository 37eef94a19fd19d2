using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Rows of a table.</summary>
public static unsafe class EmbeddingOp
{
    /// <summary><c>y[i] = table[ids[i]]</c>.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="table"><c>[vocabulary, dim]</c>, any storage that widens row by row.</param>
    /// <param name="ids"><c>[rows]</c> i32.</param>
    /// <exception cref="ArgumentException">An id lies outside the table.</exception>
    public static Tensor Embedding(this Tape tape, Tensor table, Tensor ids)
    {
        Check.Weight("embedding", table);
        Check.Indices("embedding", ids, ids.Shape.Elements);
        int rows = checked((int)ids.Shape.Elements);
        foreach (int id in ids.Integers)
        {
            if ((uint)id >= (uint)table.Rows)
                throw new ArgumentException($"token id {id} lies outside the {table.Rows} rows of the embedding");
        }
        Tensor y = tape.New(new Shape(rows, table.Columns));
        EmbeddingKernel.Gather(table.Pointer, table.Type, table.Ld, ids.I, rows, table.Columns, y.F, y.Ld);
        if (table.Order is { } order)
            ColumnOrder.Restore((int*)order.Pointer, y.F, rows, table.Columns);
        if (!tape.Recording || !table.RequiresGrad)
            return y;
        EmbeddingNode node = tape.Rent<EmbeddingNode>();
        (node.Table, node.Ids) = (table, Tape.Save(ids));
        return tape.Record(node, y);
    }

    private sealed class EmbeddingNode : Node
    {
        public Tensor Table = null!, Ids = null!;

        protected internal override void Backward(Tape tape)
        {
            Tensor dTable = tape.GradOf(Table, out bool there)!;
            if (!there)
                VectorKernel.Fill(0, dTable.F, dTable.Shape.Elements);
            Tensor dy = Output.Grad!;
            EmbeddingKernel.ScatterAdd(dy.F, dy.Ld, Ids.I, dy.Rows, dy.Columns, dTable.F, dTable.Ld);
        }

        protected internal override void Clear() => (Table, Ids) = (null!, null!);
    }
}
