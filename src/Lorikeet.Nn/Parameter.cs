using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>A weight of a model: its name on disk, its values in whatever storage they came in, and whether training changes it.</summary>
public sealed class Parameter
{
    /// <summary>A weight that training leaves alone until <see cref="Trainable"/> is set.</summary>
    public Parameter(string name, Tensor value)
    {
        Name = name;
        Value = value;
        StoredType = value.Type;
    }

    /// <summary>The name in the checkpoint: <c>model.layers.0.self_attn.q_proj.weight</c>.</summary>
    public string Name { get; }

    /// <summary>The values. Layers read this property each time: the memory behind it may move when the parameter becomes trainable.</summary>
    public Tensor Value { get; private set; }

    /// <summary>The storage that the checkpoint has it in, whatever <see cref="Value"/> was widened to since.</summary>
    public DType StoredType { get; init; }

    /// <summary>The gradient of a trainable parameter, same shape, f32; ops add to it.</summary>
    public Tensor? Grad => Value.Grad;

    /// <summary>
    /// True where training changes this parameter. Setting it gives the parameter f32 memory of its own (a mapped file cannot be written, other
    /// storage cannot be trained) and a gradient of zeros.
    /// </summary>
    public bool Trainable
    {
        get => Value.RequiresGrad;
        set
        {
            if (value == Trainable)
                return;
            if (value)
            {
                Tensor own = Value.ToF32();
                own.RequiresGrad = true;
                own.Grad = Tensor.Create(own.Shape);
                Value = own;
            }
            else
            {
                Value.RequiresGrad = false;
                Value.Grad = null;
            }
        }
    }

    /// <summary>Moves values and gradient into given memory, so that an optimiser can treat all parameters as one.</summary>
    /// <param name="value">F32, as many elements.</param>
    /// <param name="grad">F32, as many elements; zeros.</param>
    public void MoveTo(NativeBytes value, NativeBytes grad)
    {
        Tensor moved = Tensor.FromBytes(value, DType.F32, Value.Shape);
        moved.CopyFrom(Value);
        moved.RequiresGrad = true;
        moved.Grad = Tensor.FromBytes(grad, DType.F32, Value.Shape);
        Value = moved;
    }

    /// <summary>Replaces the values of a parameter that is not being trained: a merge, another initialisation.</summary>
    /// <exception cref="ArgumentException">The shape differs.</exception>
    public void Replace(Tensor value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Shape != Value.Shape)
            throw new ArgumentException($"{Name} is {Value}, it cannot be replaced by {value}");
        if (Trainable)
            Value.CopyFrom(value);
        else
            Value = value;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Value}";
}
