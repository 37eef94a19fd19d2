using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>
/// The memory and the memory of operations of one step. It hands out tensors (reclaimed together by <see cref="Reset"/>) and, while
/// <see cref="Recording"/>, notes the ops whose inputs want a derivative; <see cref="Backward(Tensor)"/> walks them in reverse and frees each
/// activation and gradient as soon as nothing needs it. After the first steps nothing is allocated. Not for several threads.
/// </summary>
public sealed unsafe class Tape : IDisposable
{
    private readonly BlockPool _pool = new();
    private readonly List<NodePool?> _nodePools = [];
    private readonly TensorStack _tensors = new();
    private readonly TensorStack _gradients = new();
    private Node[] _nodes = new Node[64];
    private int _nodeCount;
    private DType _activations;

    /// <summary>True while derivatives are wanted: ops note themselves.</summary>
    public bool Recording { get; set; }

    /// <summary>
    /// How far products with weights, and their derivatives, may round their factors; sums, activations and everything else stay single precision.
    /// <see cref="GemmPrecision.Int8"/> is for passes without derivatives.
    /// </summary>
    public GemmPrecision Precision { get; set; }

    /// <summary>
    /// How <see cref="PutAway"/> keeps what cannot be made again: as it is (f32), or rounded to bf16, which takes half the memory and changes the
    /// derivatives by as much. The forward pass is the same either way.
    /// </summary>
    public DType Activations
    {
        get => _activations;
        set => _activations = value is DType.F32 or DType.BF16 ? value : throw new ArgumentException($"activations are kept in f32 or bf16, not in {value}");
    }

    /// <summary>With <see cref="Counter"/>, decides every random draw of the step.</summary>
    public ulong Seed { get; set; }

    /// <summary>How far the stream of random numbers has been used.</summary>
    public ulong Counter { get; set; }

    /// <summary>Takes <paramref name="count"/> numbers from the random stream: where they begin.</summary>
    public ulong Draw(long count)
    {
        ulong at = Counter;
        Counter += RandomKernel.Blocks(count);
        return at;
    }

    /// <summary>Bytes of native memory held, in use or ready for the next step.</summary>
    public long HeldBytes => _pool.HeldBytes;

    /// <summary>Bytes that tensors look at now.</summary>
    public long UsedBytes => _pool.UsedBytes;

    /// <summary>The most bytes in use at one time since the tape was made, or since <see cref="ForgetPeak"/>.</summary>
    public long PeakBytes => _pool.PeakBytes;

    /// <summary>Counts the peak anew from what is in use now.</summary>
    public void ForgetPeak() => _pool.ForgetPeak();

    /// <summary>A tensor whose contents are whatever was there.</summary>
    public Tensor New(Shape shape, DType type = DType.F32)
    {
        Block block = _pool.Rent(type.Bytes(shape.Elements));
        return _tensors.Next().Reuse(block, block.Pointer, type, shape, shape.Columns);
    }

    /// <summary>A tensor of zeros.</summary>
    public Tensor Zeros(Shape shape)
    {
        Tensor tensor = New(shape);
        VectorKernel.Fill(0, tensor.F, tensor.Shape.Elements);
        return tensor;
    }

    /// <summary>The same memory under another shape of as many elements.</summary>
    /// <exception cref="ArgumentException">The sizes do not fit.</exception>
    public Tensor View(Tensor tensor, Shape shape)
    {
        if (shape.Elements != tensor.Shape.Elements || (!tensor.IsContiguous && shape.Columns != tensor.Columns))
            throw new ArgumentException($"{tensor} cannot be seen as {shape}");
        return ViewOf(_tensors, tensor, 0, shape, tensor.IsContiguous ? shape.Columns : tensor.RowStride);
    }

    /// <summary>Columns <c>first .. first + count - 1</c> of every row, in place. A derivative of the part lands in the whole.</summary>
    public Tensor Columns(Tensor tensor, int first, int count)
    {
        if (first < 0 || count < 1 || first > tensor.Columns - count)
            throw new ArgumentException($"columns {first}..{first + count - 1} of {tensor}");
        return ViewOf(_tensors, tensor, first, new Shape(tensor.Rows, count), tensor.RowStride);
    }

    /// <summary>Rows <c>first .. first + count - 1</c>, in place. A derivative of the part lands in the whole.</summary>
    public Tensor RowRange(Tensor tensor, int first, int count)
    {
        if (first < 0 || count < 0 || first > tensor.Rows - count)
            throw new ArgumentException($"rows {first}..{first + count - 1} of {tensor}");
        return ViewOf(_tensors, tensor, first * tensor.RowStride, new Shape(count, tensor.Columns), tensor.RowStride);
    }

    /// <summary>Keeps a tensor's contents until <see cref="Reset"/>, even where nothing needs them any more.</summary>
    public static Tensor Keep(Tensor tensor)
    {
        for (Tensor? part = tensor; part is not null; part = part.ViewOf)
            part.Kept = true;
        return tensor;
    }

    /// <summary>Frees a tensor that is needed no more, unless somebody keeps it (<see cref="Keep"/>).</summary>
    public void Free(Tensor tensor)
    {
        if (!tensor.Kept)
            FreeStorage(tensor);
    }

    /// <summary>Says that a noted op reads these values again for its derivative: from now on no op may work in their memory.</summary>
    /// <param name="tensor">What is read again.</param>
    /// <param name="exact">It must not be rounded, whatever <see cref="Activations"/> says: statistics and the like, which are small.</param>
    public static Tensor Save(Tensor tensor, bool exact = false)
    {
        Tensor root = Root(tensor);
        root.Saved = true;
        root.Exact |= exact;
        if (root.Storage is { } block)
            block.Saved = true;
        return tensor;
    }

    /// <summary>
    /// Keeps of a finished block only what derivatives need, as small as it can be. What none of them reads is freed. What its op can make again from
    /// other saved tensors (<see cref="Node.CanRemake"/>) is freed until then. The rest is rounded where <see cref="Activations"/> says so. Whatever
    /// reads such a tensor later finds it as if it had never been away.
    /// </summary>
    /// <param name="mark">Where the block began, by <see cref="Mark"/>.</param>
    /// <param name="input">What went into the block.</param>
    /// <param name="result">What came out, for the next block: it stays.</param>
    public void PutAway(int mark, Tensor input, Tensor result)
    {
        Tensor stays = Root(result);
        for (int i = mark; i < _tensors.Count; i++)
            PutOneAway(_tensors[i], stays);
        PutOneAway(Root(input), stays);
    }

    /// <summary>An op's note, new or used before.</summary>
    public T Rent<T>() where T : Node, new()
    {
        int kind = NodeKind<T>.Index;
        while (_nodePools.Count <= kind)
            _nodePools.Add(null);
        NodePool pool = _nodePools[kind] ??= new NodePool();
        return pool.Free.TryPop(out Node? node) ? (T)node : new T { Home = pool };
    }

    /// <summary>Notes an op. Its output wants a derivative from now on.</summary>
    public Tensor Record(Node node, Tensor output)
    {
        node.Output = output;
        output.RequiresGrad = true;
        output.Maker = node.CanRemake ? node : null;
        Note(node);
        return output;
    }

    /// <summary>Asks to be told when the derivative has passed everything that is noted from here on: what only that uses has its whole gradient then.</summary>
    /// <param name="about">What to tell about.</param>
    /// <param name="tell">Must not compute with this tape.</param>
    public void WhenPassed<T>(T about, Action<T> tell) where T : class
    {
        PassedNode<T> node = Rent<PassedNode<T>>();
        (node.About, node.Tell) = (about, tell);
        Note(node);
    }

    /// <summary>
    /// Where an op adds the derivative of its input: null where none is wanted. <paramref name="accumulate"/> says whether numbers are there
    /// already, to be added to; if not the op overwrites.
    /// </summary>
    public Tensor? GradOf(Tensor? input, out bool accumulate)
    {
        accumulate = false;
        if (input is null || !input.RequiresGrad)
            return null;
        if (input.Grad is not null)
        {
            accumulate = true;
            return input.Grad;
        }
        if (input.ViewOf is { RequiresGrad: true } whole)
        {
            Tensor all = GradOf(whole, out bool there)!;
            if (!there)
                VectorKernel.Fill(0, all.F, all.Shape.Elements);
            accumulate = true;
            // a view of a gradient shares the offset of the view of the values; strides agree because both are rows of the same columns
            return input.Grad = ViewOf(_gradients, all, input.ViewOffset / whole.RowStride * all.RowStride + input.ViewOffset % whole.RowStride, input.Shape,
                input.RowStride == whole.RowStride ? all.RowStride : input.RowStride);
        }
        if (!input.OnTape)
        {
            // what outlives the step has a gradient that does
            accumulate = true;
            return input.Grad = Tensor.Create(input.Shape);
        }
        return input.Grad = NewGradient(input.Shape);
    }

    /// <summary>
    /// Adds the derivative of an op's output to that of an input: for ops whose two derivatives are the same numbers, or that have turned the one
    /// into the other in place. The memory itself goes over where the input has none yet.
    /// </summary>
    public void PassGrad(Tensor output, Tensor input)
    {
        if (!input.RequiresGrad || output.Grad is not { } gradient)
            return;
        output.Grad = null;
        PassOn(gradient, input);
    }

    /// <summary>Runs all noted ops in reverse, from a loss of one element.</summary>
    /// <exception cref="InvalidOperationException">Nothing that the loss depends on wants a derivative.</exception>
    /// <exception cref="ArgumentException">The loss has more elements than one.</exception>
    public void Backward(Tensor loss)
    {
        if (loss.Shape.Elements != 1)
            throw new ArgumentException($"a loss is one number, not {loss}");
        if (GradOf(loss, out _) is not { } gradient)
            throw new InvalidOperationException("the loss does not depend on anything that wants a derivative");
        gradient.F[0] = 1;
        BackwardTo(0);
    }

    /// <summary>Where <see cref="ReleaseTo(int, Tensor)"/> goes back to.</summary>
    public int Mark() => _tensors.Count;

    /// <summary>
    /// Frees every tensor made since <paramref name="mark"/> but <paramref name="result"/> and those that <see cref="Keep"/> was told of. Only where
    /// nothing made since was noted.
    /// </summary>
    public void ReleaseTo(int mark, Tensor? result = null)
    {
        // a view does not own its memory: a result that is one takes it over
        if (result is { ViewOf: not null, Kept: false } && Root(result) is { Storage: not null } root && _tensors.Contains(root, mark))
        {
            byte* pointer = result.Pointer;
            result.ViewOf = null;
            result.MoveTo(root.Storage, pointer);
            root.Storage = null;
        }
        int kept = mark;
        for (int i = mark; i < _tensors.Count; i++)
        {
            Tensor tensor = _tensors[i];
            if (tensor == result || tensor.Kept)
                _tensors.Swap(i, kept++);
            else
                FreeStorage(tensor);
        }
        _tensors.Count = kept;
    }

    /// <summary>Ends the step: all its tensors are reclaimed.</summary>
    public void Reset()
    {
        ForgetTo(0);
        Clear(_tensors);
        Clear(_gradients);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Reset();
        _pool.Dispose();
    }

    internal int NodeCount => _nodeCount;

    /// <summary>See <see cref="BlockPool.Poisons"/>.</summary>
    internal bool Poisons
    {
        get => _pool.Poisons;
        set => _pool.Poisons = value;
    }

    /// <summary>Forgets the notes after <paramref name="position"/>.</summary>
    internal void ForgetTo(int position)
    {
        while (_nodeCount > position)
            Forget(_nodes[--_nodeCount]);
    }

    /// <summary>Memory for a derivative. It lasts until the op has passed that made the tensor it belongs to, whatever is released before.</summary>
    internal Tensor NewGradient(Shape shape)
    {
        Block block = _pool.Rent(DType.F32.Bytes(shape.Elements));
        return _gradients.Next().Reuse(block, block.Pointer, DType.F32, shape, shape.Columns);
    }

    /// <summary>
    /// Memory for a derivative as large as an op's output: that of the output itself where nobody keeps it, since all that read it have passed when the
    /// op's own derivative runs.
    /// </summary>
    internal Tensor GradientInPlaceOf(Tensor output)
    {
        if (output is not { Storage: { Users: 1 } block, Kept: false, Away: null, Type: DType.F32, IsContiguous: true })
            return NewGradient(output.Shape);
        byte* pointer = output.Pointer;
        output.Storage = null;
        return _gradients.Next().Reuse(block, pointer, DType.F32, output.Shape, output.Columns);
    }

    /// <summary>Adds a finished derivative, made by <see cref="NewGradient"/>, to that of an input, and takes its memory. Where none is wanted it only does that.</summary>
    internal void PassOn(Tensor gradient, Tensor input)
    {
        if (!input.RequiresGrad)
        {
            FreeStorage(gradient);
            return;
        }
        if (input is { Grad: null, OnTape: true, ViewOf: null or { RequiresGrad: false } })
        {
            input.Grad = gradient;
            return;
        }
        Tensor to = GradOf(input, out _)!;
        VectorKernel.AxpyRows(1, gradient.F, gradient.Ld, to.F, to.Ld, to.Rows, to.Columns);
        FreeStorage(gradient);
    }

    /// <summary>Runs the notes after <paramref name="position"/> in reverse and forgets them.</summary>
    internal void BackwardTo(int position)
    {
        bool recording = Recording;
        Recording = false;
        try
        {
            while (_nodeCount > position)
            {
                Node node = _nodes[--_nodeCount];
                if (node.Output is not { } output)
                {
                    node.Backward(this);
                    Forget(node);
                    continue;
                }
                if (output.Grad is not null)
                    node.Backward(this);
                if (output.Grad is { } gradient)
                {
                    output.Grad = null;
                    FreeStorage(gradient);
                }
                Free(output);
                Forget(node);
            }
        }
        finally
        {
            Recording = recording;
        }
    }

    private void Note(Node node)
    {
        if (_nodeCount == _nodes.Length)
            Array.Resize(ref _nodes, _nodeCount * 2);
        _nodes[_nodeCount++] = node;
    }

    private static void Forget(Node node)
    {
        node.Clear();
        node.Output = null!;
        node.Home!.Free.Push(node);
    }

    private static Tensor ViewOf(TensorStack stack, Tensor whole, long offset, Shape shape, long rowStride)
    {
        if (whole.Type.BlockSize() > 1)
            throw new ArgumentException($"no part of {whole} can be seen in place");
        Tensor view = stack.Next().Reuse(null, null, whole.Type, shape, rowStride);
        view.Owner = whole.Owner;
        view.ViewOf = whole;
        view.ViewOffset = offset;
        view.RequiresGrad = whole.RequiresGrad;
        return view;
    }

    /// <summary>Another handle on the same memory, for ops that work in place: not a view, its derivative is its own.</summary>
    internal Tensor Alias(Tensor tensor)
    {
        Block? storage = Root(tensor).Storage;
        if (storage is not null)
            storage.Users++;
        Tensor alias = _tensors.Next().Reuse(storage, tensor.Pointer, tensor.Type, tensor.Shape, tensor.RowStride);
        alias.Owner = tensor.Owner;
        return alias;
    }

    internal static Tensor Root(Tensor tensor)
    {
        while (tensor.ViewOf is { } whole)
            tensor = whole;
        return tensor;
    }

    /// <summary>Elements from the start of the memory that a tensor looks at.</summary>
    internal static long OffsetInRoot(Tensor tensor)
    {
        long offset = 0;
        for (; tensor.ViewOf is { } whole; tensor = whole)
            offset += tensor.ViewOffset;
        return offset;
    }

    /// <summary>Makes the contents of a tensor that was put away what they were.</summary>
    internal void BringBack(Tensor tensor)
    {
        Block? narrow = tensor.Storage;
        Block block = _pool.Rent(tensor.Bytes);
        block.Saved = true;
        tensor.Away = null;
        tensor.MoveTo(block, block.Pointer);
        if (narrow is null)
        {
            tensor.Maker!.Remake();
            return;
        }
        BlockFormats.DequantizeParallel(DType.BF16, narrow.Pointer, tensor.Shape.Elements, tensor.F);
        _pool.Return(narrow);
    }

    private void PutOneAway(Tensor tensor, Tensor stays)
    {
        if (tensor == stays || tensor.Kept || tensor.Away is not null || tensor.Storage is not { } block)
            return;
        if (!tensor.Saved)
        {
            FreeStorage(tensor);
        }
        else if (tensor.Maker is not null)
        {
            FreeStorage(tensor);
            tensor.Away = this;
        }
        else if (Activations == DType.BF16 && tensor is { Type: DType.F32, Exact: false, IsContiguous: true } && block.Users == 1)
        {
            Block narrow = _pool.Rent(DType.BF16.Bytes(tensor.Shape.Elements));
            BlockFormats.QuantizeRows(DType.BF16, tensor.F, tensor.Rows, tensor.Columns, narrow.Pointer);
            FreeStorage(tensor);
            tensor.Storage = narrow;
            tensor.Away = this;
        }
    }

    private void FreeStorage(Tensor tensor)
    {
        tensor.Away = null;
        if (tensor.Storage is { } block)
        {
            tensor.Storage = null;
            _pool.Return(block);
        }
    }

    private void Clear(TensorStack stack)
    {
        for (int i = 0; i < stack.Count; i++)
            FreeStorage(stack[i]);
        stack.Count = 0;
    }

    // has no output: it computes nothing
    private sealed class PassedNode<T> : Node where T : class
    {
        public T About = null!;
        public Action<T> Tell = null!;

        protected internal override void Backward(Tape tape) => Tell(About);

        protected internal override void Clear() => (About, Tell) = (null!, null!);
    }
}
