using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>A weight of a model: its name on disk, its values in whatever storage they came in, and whether training changes it.</summary>
public sealed class Parameter
{
    private Tensor _value;
    private bool _trainable;
    private bool _moved;

    /// <summary>A weight that training leaves alone until <see cref="Trainable"/> is set.</summary>
    public Parameter(string name, Tensor value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Name = name;
        _value = value;
        StoredType = value.Type;
    }

    /// <summary>The name in the checkpoint: <c>model.layers.0.self_attn.q_proj.weight</c>.</summary>
    public string Name { get; }

    /// <summary>
    /// The values. Layers read this property each time: the memory behind it moves when an optimiser takes the parameter over. Those of a trainable
    /// parameter in other storage than f32 are widened when they are first read.
    /// </summary>
    public Tensor Value
    {
        get
        {
            if (_trainable && _value.Type != DType.F32)
            {
                NativeBytes stored = _value.Contents;
                _value = Marked(_value.ToF32());
                stored.Release();
            }
            return _value;
        }
    }

    /// <summary>The shape of the values.</summary>
    public Shape Shape => _value.Shape;

    /// <summary>The storage that the checkpoint has it in, whatever <see cref="Value"/> was widened to since.</summary>
    public DType StoredType { get; init; }

    /// <summary>The gradient of a trainable parameter, same shape, f32, zeros until ops add to it; null for one that is not trained.</summary>
    public Tensor? Grad => _trainable ? Value.Grad ??= Tensor.Create(Shape) : null;

    /// <summary>
    /// True where training changes this parameter. Setting it takes no memory: a gradient is made when it is first needed, and memory that can be
    /// written (a mapped file cannot) comes with <see cref="MoveTo"/>.
    /// </summary>
    public bool Trainable
    {
        get => _trainable;
        set
        {
            _trainable = value;
            if (value && _value.Type == DType.F32)
                Marked(_value);
            else if (!value)
                (_value.RequiresGrad, _value.Grad) = (false, null);
        }
    }

    /// <summary>Moves values and gradient into given memory, so that an optimiser can treat all parameters as one; it is trainable from then on.</summary>
    /// <param name="value">F32, as many elements.</param>
    /// <param name="grad">F32, as many elements; zeros.</param>
    public void MoveTo(NativeBytes value, NativeBytes grad)
    {
        Tensor moved = Tensor.FromBytes(value, DType.F32, Shape);
        for (int row = 0; row < moved.Rows; row++)
            _value.ReadRow(row, moved.Row(row));
        _value.Contents.Release();
        moved.Grad = Tensor.FromBytes(grad, DType.F32, Shape);
        (_value.RequiresGrad, _value.Grad) = (false, null);
        _value = Marked(moved);
        (_trainable, _moved) = (true, true);
    }

    /// <summary>Replaces the values: a merge, another initialisation. Where an optimiser knows the memory, they are copied into it.</summary>
    /// <exception cref="ArgumentException">The shape differs.</exception>
    public void Replace(Tensor value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Shape != Shape)
            throw new ArgumentException($"{Name} is {_value}, it cannot be replaced by {value}");
        if (_trainable && _moved)
        {
            _value.CopyFrom(value);
            return;
        }
        (_value.RequiresGrad, _value.Grad) = (false, null);
        _value = value;
        if (_trainable && value.Type == DType.F32)
            Marked(value);
        _moved = false;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {_value}";

    private static Tensor Marked(Tensor tensor)
    {
        tensor.RequiresGrad = true;
        return tensor;
    }
}
