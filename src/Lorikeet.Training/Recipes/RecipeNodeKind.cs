namespace Lorikeet.Training;

/// <summary>What a piece of a recipe is.</summary>
public enum RecipeNodeKind
{
    /// <summary>A plain value.</summary>
    Scalar,
    /// <summary>A list.</summary>
    List,
    /// <summary>Keys with values.</summary>
    Map,
}
