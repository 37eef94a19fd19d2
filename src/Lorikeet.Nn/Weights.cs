using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>
/// A source of weights seen from one module: <c>weights / "self_attn" / "q_proj"</c>. Names on disk are spelled where they are used, and
/// loading and random initialisation share one constructor path.
/// </summary>
public readonly struct Weights
{
    private Weights(ModelContext context, string path)
    {
        Context = context;
        Path = path;
    }

    /// <summary>The root of a model that is being built.</summary>
    public Weights(ModelContext context) : this(context, "") { }

    /// <summary>The model that is being built.</summary>
    public ModelContext Context { get; }

    /// <summary>The prefix, without a final dot.</summary>
    public string Path { get; }

    /// <summary>One level down.</summary>
    public static Weights operator /(Weights weights, string name) => new(weights.Context, weights.Path.Length == 0 ? name : $"{weights.Path}.{name}");

    /// <summary>One level down a numbered list.</summary>
    public static Weights operator /(Weights weights, int index) => weights / index.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>One level down.</summary>
    public static Weights Divide(Weights left, string right) => left / right;

    /// <summary>True where the source holds this name.</summary>
    public bool Has(string name) => Context.Source.Find(NameOf(name)) is not null;

    /// <summary>A matrix in the storage it has in the file: products widen it as they go.</summary>
    public Parameter Matrix(string name, int rows, int columns) => Context.Parameter(NameOf(name), new Shape(rows, columns), keepStorage: true);

    /// <summary>A vector, widened to f32: it is small and read element by element.</summary>
    public Parameter Vector(string name, int size) => Context.Parameter(NameOf(name), new Shape(size), keepStorage: false);

    private string NameOf(string name) => Path.Length == 0 ? name : $"{Path}.{name}";
}
