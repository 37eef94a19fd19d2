using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>Puts an input into memory in a certain way, and reads its gradient from there.</summary>
internal static class InputLayouts
{
    /// <summary>
    /// The tensor whose gradient is read afterwards, and what the op is given. A part is a part of a computed tensor, as the columns of a fused
    /// projection are; everything around it is NaN.
    /// </summary>
    public static (Tensor Leaf, Tensor Input) Make(Tape tape, OpInput input, float[] values, InputLayout layout, bool wanted)
    {
        if (input.Type != DType.F32)
        {
            Tensor stored = Stored.Make(input.Type, input.Shape, values);
            return (stored, stored);
        }
        Frame frame = Frame.Of(input.Shape, layout);
        Tensor leaf = tape.New(frame.Whole);
        leaf.Values.Fill(float.NaN);
        for (int row = 0; row < frame.Rows; row++)
            values.AsSpan(row * frame.Columns, frame.Columns).CopyTo(leaf.Row(frame.FirstRow + row)[frame.FirstColumn..]);
        leaf.RequiresGrad = wanted;
        if (layout == InputLayout.Whole)
            return (leaf, leaf);
        Tensor view = tape.Scale(leaf, 1);
        if (frame.Rows != frame.Whole.Rows)
            view = tape.RowRange(view, frame.FirstRow, frame.Rows);
        if (frame.Columns != frame.Whole.Columns)
            view = tape.Columns(view, frame.FirstColumn, frame.Columns);
        return (leaf, view.IsContiguous ? tape.View(view, input.Shape) : view);
    }

    /// <summary>The gradient of the input's own elements. Around them it must be zero.</summary>
    public static float[] Gradient(Tensor leaf, OpInput input, InputLayout layout)
    {
        Frame frame = Frame.Of(input.Shape, layout);
        float[] own = new float[input.Shape.Elements];
        float[] all = leaf.Grad!.Values.ToArray();
        for (int row = 0; row < frame.Rows; row++)
        {
            Span<float> part = all.AsSpan((frame.FirstRow + row) * frame.Whole.Columns + frame.FirstColumn, frame.Columns);
            part.CopyTo(own.AsSpan(row * frame.Columns));
            part.Clear();
        }
        all.ShouldAllBe(value => value == 0, $"the derivative of {input.Name} reaches beyond its part");
        return own;
    }

    private readonly record struct Frame(Shape Whole, int FirstRow, int Rows, int FirstColumn, int Columns)
    {
        public static Frame Of(Shape shape, InputLayout layout)
        {
            int rows = shape.Rows, columns = shape.Columns;
            return layout switch
            {
                InputLayout.Whole => new(shape, 0, rows, 0, columns),
                InputLayout.Rows => new(new Shape(rows + 3, columns), 2, rows, 0, columns),
                InputLayout.Columns => new(new Shape(rows, columns + 5), 0, rows, 3, columns),
                InputLayout.Reshaped => new(new Shape(columns, rows), 0, columns, 0, rows),
                _ => new(new Shape(rows + 2, columns + 4), 1, rows, 3, columns),
            };
        }
    }
}
