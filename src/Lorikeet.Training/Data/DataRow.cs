namespace Lorikeet.Training;

/// <summary>A row of data as its file says it, before it becomes tokens.</summary>
/// <param name="Origin">Where it stands.</param>
public abstract record DataRow(RowOrigin Origin);
