namespace Lorikeet.Text;

/// <summary>Before which pieces <c>Metaspace</c> puts its mark.</summary>
internal enum PrependScheme
{
    /// <summary>Before all.</summary>
    Always,

    /// <summary>Before none.</summary>
    Never,

    /// <summary>Before the piece that begins the text.</summary>
    First,
}
